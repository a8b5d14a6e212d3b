//! `security`: what the processes of a pod may do.

use super::errors;
use crate::base::suggest::nearest;
use crate::program::{Given, Giver, Seccomp, Security};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::{Fields, Layer};
use crate::syntax::ast::ExprKind;

/// The largest user or group (kubernetes, pkg/apis/core/validation: `ValidateSecurityContext`).
const MOST_ID: u64 = 2_147_483_647;

/// The capabilities of Linux 6.12 (include/uapi/linux/capability.h) without `CAP_`, and `ALL` of the container runtime.
const CAPABILITIES: [&str; 42] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// What the processes of a pod may do: `security` of all layers, over the profile that it names, and `user`.
pub(crate) fn security<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
) -> Option<Box<Security<'a>>> {
    let cx = decls.cx;
    let user = id(fields, "user");
    let Some(block) = fields.nested("security", |block| of_profile(decls, block)) else {
        return user.map(|user| {
            Box::new(Security {
                run_as: Some(user.value),
                non_root: (user.value > 0).then_some(true),
                ..Security::default()
            })
        });
    };
    block.check_keys("security");
    let run_as = id(&block, "run-as");
    if let (Some(user), Some(run_as)) = (user, run_as) {
        let place = |given: Given<'_, u64>| given.origin.span.unwrap_or(fields.span);
        cx.report(errors::user_twice(place(user), place(run_as)));
    }
    let run_as = run_as.or(user);
    let place = |key| block.get(key).and_then(|field| field.origin.span);
    let non_root = block.flag("run-as-non-root");
    if let (Some(given), Some(true)) = (run_as.filter(|given| given.value == 0), non_root) {
        let span = given.origin.span.unwrap_or(block.span);
        cx.report(errors::root_that_is_refused(span, place("run-as-non-root")));
    }
    let (drop, add) = (capabilities(&block, "drop"), capabilities(&block, "add"));
    let (privileged, escalation) = (
        block.flag("privileged"),
        block.flag("allow-privilege-escalation"),
    );
    // Kubernetes refuses these pairs (pkg/apis/core/validation: `ValidateSecurityContext`).
    let rights = [
        ("privileged", privileged == Some(true)),
        (
            "SYS_ADMIN",
            add.iter()
                .any(|name| name.eq_ignore_ascii_case("SYS_ADMIN")),
        ),
    ];
    for (what, _) in rights
        .iter()
        .filter(|(_, has)| *has && escalation == Some(false))
    {
        let key = if *what == "privileged" {
            "privileged"
        } else {
            "add"
        };
        cx.report(errors::escalation_of_privileged(
            what,
            place(key).unwrap_or(block.span),
            place("allow-privilege-escalation"),
        ));
    }
    Some(Box::new(Security {
        run_as: run_as.map(|given| given.value),
        run_as_group: id(&block, "run-as-group").map(|given| given.value),
        fs_group: id(&block, "fs-group").map(|given| given.value),
        non_root: non_root.or(run_as.and_then(|given| (given.value > 0).then_some(true))),
        escalation,
        read_only_root: block.flag("read-only-root"),
        drop,
        add,
        seccomp: seccomp(&block),
        privileged,
    }))
}

/// The profile that a block begins with.
fn of_profile<'a>(decls: &Decls<'_, 'a>, block: &Fields<'_, 'a>) -> Option<Layer<'a>> {
    let given = block.name("profile")?;
    let span = given.origin.span.unwrap_or(block.span);
    let body = decls.profile(given.value, span)?.body.as_ref()?;
    let layer = Layer {
        env: None,
        giver: Giver::Declaration("profile"),
        name: given.value,
        items: &body.items,
    };
    Fields::new(decls.cx, "security", span, vec![layer]).check_keys("security");
    Some(layer)
}

/// A user or a group by its number.
fn id<'a>(fields: &Fields<'_, 'a>, key: &'static str) -> Option<Given<'a, u64>> {
    let given = fields.count(key)?;
    if given.value > MOST_ID {
        let span = given.origin.span.unwrap_or(fields.span);
        let error = general::out_of_range(key, "0 to 2147483647", span);
        fields.cx.report(error);
    }
    Some(given)
}

fn capabilities<'a>(block: &Fields<'_, 'a>, key: &'static str) -> Vec<&'a str> {
    let names = block.names(key).unwrap_or_default();
    for (name, span) in &names {
        let upper = name.to_ascii_uppercase();
        if !CAPABILITIES.contains(&upper.as_str()) {
            let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
            let near = nearest(short, CAPABILITIES);
            block
                .cx
                .report(errors::unknown_capability(name, *span, near));
        }
    }
    names.into_iter().map(|(name, _)| name).collect()
}

/// `seccomp = runtime-default`, or the path of a profile on the node.
fn seccomp<'a>(block: &Fields<'_, 'a>) -> Option<Seccomp<'a>> {
    const WORDS: [&str; 2] = ["runtime-default", "unconfined"];
    let cx = block.cx;
    let value = block.get("seccomp")?.value(cx)?;
    match cx.resolve(value).kind {
        ExprKind::Text => Some(Seccomp::Localhost(cx.string(value)?)),
        _ => match cx.name(value, "seccomp")? {
            ("runtime-default", _) => Some(Seccomp::RuntimeDefault),
            ("unconfined", _) => Some(Seccomp::Unconfined),
            (other, span) => {
                cx.report(general::not_one_of("seccomp", other, span, &WORDS));
                None
            }
        },
    }
}
