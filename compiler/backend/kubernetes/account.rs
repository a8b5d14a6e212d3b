//! Service accounts, with a Role or a ClusterRole of their rules and what binds both.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::object::{Takes, metadata};
use crate::plan::model::Plan;
use crate::program::{Account, Rule};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Gives the objects of all accounts, by name.
pub(super) fn objects(plan: &Plan<'_, '_>, to: &mut impl Takes) {
    for account in &plan.program.accounts {
        let name = account.name.value;
        to.object(&ServiceAccount {
            metadata: metadata(plan, name),
            automount_service_account_token: account.token,
            ..ServiceAccount::default()
        });
        if account.rules.is_empty() {
            continue;
        }
        let rules = Some(account.rules.iter().map(rule).collect());
        if account.cluster_wide {
            let metadata = of_cluster(plan, name);
            let role_ref = role_ref("ClusterRole", metadata.name.as_deref());
            to.object(&ClusterRole {
                metadata: metadata.clone(),
                rules,
                ..ClusterRole::default()
            });
            to.object(&ClusterRoleBinding {
                metadata,
                role_ref,
                subjects: Some(vec![subject(plan, account)]),
            });
        } else {
            let metadata = metadata(plan, name);
            to.object(&Role {
                metadata: metadata.clone(),
                rules,
            });
            to.object(&RoleBinding {
                metadata,
                role_ref: role_ref("Role", Some(name)),
                subjects: Some(vec![subject(plan, account)]),
            });
        }
    }
}

/// The metadata of an object that is in no namespace: its name begins with that of the program's.
fn of_cluster(plan: &Plan<'_, '_>, name: &str) -> ObjectMeta {
    let name = format!("{}-{name}", plan.program.namespace.value);
    ObjectMeta {
        namespace: None,
        ..metadata(plan, &name)
    }
}

fn role_ref(kind: &str, name: Option<&str>) -> RoleRef {
    RoleRef {
        api_group: GROUP.to_owned(),
        kind: kind.to_owned(),
        name: name.unwrap_or_default().to_owned(),
    }
}

fn subject(plan: &Plan<'_, '_>, account: &Account<'_>) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: account.name.value.to_owned(),
        namespace: Some(plan.program.namespace.value.to_owned()),
        ..Subject::default()
    }
}

fn rule(rule: &Rule<'_>) -> PolicyRule {
    let some = |list: &[std::borrow::Cow<'_, str>]| -> Option<Vec<String>> {
        (!list.is_empty()).then(|| list.iter().map(ToString::to_string).collect())
    };
    PolicyRule {
        api_groups: rule.group.as_ref().map(|group| vec![group.to_string()]),
        resources: some(&rule.resources),
        verbs: some(&rule.verbs).unwrap_or_default(),
        resource_names: some(&rule.names),
        non_resource_urls: some(&rule.urls),
    }
}
