//! The register of error codes. A number is given once and never again; its page is `spec/errors/BZnnnn.md`.

/// A registered error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    /// `BZ4001`.
    pub id: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Its page.
    pub page: &'static str,
}

macro_rules! codes {
    ($($id:ident $title:literal)*) => {
        /// All codes, sorted.
        pub(crate) const CODES: &[Code] = &[
            $(Code { id: stringify!($id), title: $title, page: include_str!(concat!("../../spec/errors/", stringify!($id), ".md")) },)*
        ];
    };
}

codes! {
    BZ0001 "a file cannot be read"
    BZ0002 "a file is not UTF-8"
    BZ0003 "a file is empty"
    BZ0004 "not an evidence file"
    BZ0005 "a program is not formatted"
    BZ0006 "not a lock"
    BZ1001 "something else was expected"
    BZ1002 "a value is missing"
    BZ1003 "an equals sign or a block is missing"
    BZ1004 "a bracket is never closed"
    BZ1005 "a brace closes nothing"
    BZ1006 "a text is never closed"
    BZ1007 "nested too deep"
    BZ1008 "a separator between fields"
    BZ2001 "an unknown name"
    BZ2002 "declared twice"
    BZ2003 "an unknown field"
    BZ2004 "a field given twice"
    BZ2005 "a constant defined by itself"
    BZ2006 "a used file cannot be read"
    BZ2007 "files that use each other in a circle"
    BZ2008 "a used file outside the repository"
    BZ2009 "an unknown module"
    BZ2010 "a value replaced without override"
    BZ2011 "an override of nothing"
    BZ2012 "an unknown environment"
    BZ2013 "an unknown declaration"
    BZ2014 "an unknown edition"
    BZ2015 "no node"
    BZ2016 "nodes that make no cluster"
    BZ2018 "an ambiguous name"
    BZ3001 "the wrong dimension"
    BZ3002 "not a whole number"
    BZ3003 "an unknown unit"
    BZ3004 "a number too large"
    BZ3005 "ends in the wrong order"
    BZ3006 "a missing field"
    BZ3007 "out of range"
    BZ3008 "arithmetic without a result"
    BZ3009 "the wrong kind of value"
    BZ3010 "an unknown escape"
    BZ3011 "not one of the values"
    BZ3012 "an incomplete declaration"
    BZ3013 "a character that YAML does not take"
    BZ4001 "over memory"
    BZ4002 "below a floor"
    BZ4003 "too many pods"
    BZ4004 "over CPU"
    BZ4005 "an expectation that does not hold"
    BZ4006 "over the allowed overcommit"
    BZ4007 "no placement on the nodes"
    BZ4008 "a node that cannot be spared"
    BZ4009 "limits at rest that pods cannot all take"
    BZ4010 "over storage or devices"
    BZ5001 "a name Kubernetes refuses"
    BZ5002 "an unknown key of K3s"
    BZ5003 "a removed key of K3s"
    BZ5004 "a key of a newer K3s"
    BZ5005 "a key of the other role"
    BZ5006 "an argument that bzc computes"
    BZ5007 "a component that cannot be changed"
    BZ5008 "a port taken twice"
    BZ5009 "not the name of an image"
    BZ5010 "a port or path that leads nowhere"
    BZ5011 "a key Kubernetes refuses"
    BZ5012 "a volume with more than one source"
    BZ5013 "a source outside the program's folder"
    BZ5014 "not a K3s version"
    BZ5015 "not a schedule"
    BZ5016 "storage that nothing provides"
    BZ5017 "no node takes the pods"
    BZ5018 "a value that a component refuses"
    BZ5019 "ingresses that exclude each other"
    BZ5020 "an ingress that nothing serves"
    BZ5021 "a claim of one node for pods of several"
    BZ5022 "a patch that cannot be laid over"
    BZ5023 "a file that is no ConfigMap or Secret"
    BZ5024 "a NetworkPolicy that nothing enforces"
    BZ6001 "a manifest that cannot be adopted"
    BZ6002 "a pattern that matches no file"
    BZ6003 "a rule that matches nothing"
    BZ6004 "a manifest that cannot be patched"
    BZ6005 "adopted twice"
    BZ6006 "a rule that means nothing for its workload"
    BZ6007 "refused by a LimitRange"
    BZ6008 "a budget over containers without a limit"
    BZ6009 "pods that bzc cannot place"
    BZ6010 "refused by a ResourceQuota"
    BZ6011 "a rollout that a ResourceQuota never lets end"
    BZ7001 "a layout with several answers"
    BZ7002 "a template that cannot be filled"
    BZ7003 "not a text for a Dockerfile"
    BZ7004 "an image that cannot start from another"
    BZ7005 "not the metadata of a build"
    BZ7006 "a version that an image does not have"
    BZ7007 "a text of a source that is more than a word"
    BZ7008 "a source that shows nothing to start"
    BZ7009 "a file that a build would miss"
}
