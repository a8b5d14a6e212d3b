//! Objects that set how many pods others have: HorizontalPodAutoscaler, and ScaledObject of KEDA.

use super::{Fault, Reader, Scaler, Uncounted};
use crate::manifest::tree::Yaml;

/// A field of a scaler, and what it is where nothing is said.
type Bound = (&'static str, u64);

impl<'t> Reader<'t> {
    /// What an object scales, by its fields for the fewest and the most pods. None if it is not whole.
    pub(super) fn scaler(
        &self,
        object: &'t Yaml,
        spec: &'t Yaml,
        [least, most]: [Bound; 2],
        namespace: Option<String>,
        uncounted: &dyn Fn(String) -> Uncounted,
    ) -> Result<Option<Scaler>, Fault> {
        let Some(target) = self.get(spec, "scaleTargetRef") else {
            return Ok(None);
        };
        let kind = self.text(target, "kind");
        let kind = kind.unwrap_or_else(|| "Deployment".to_owned());
        let Some(name) = self.text(target, "name") else {
            return Ok(None);
        };
        let (mut pods, mut at) = self
            .count(spec, most.0)?
            .unwrap_or((most.1, self.named_at(object)));
        // kedacore/keda docs: while this annotation is there, the target has so many pods, whatever its bounds.
        let annotations = self
            .get(object, "metadata")
            .and_then(|metadata| self.get(metadata, "annotations"));
        if let Some(annotations) = annotations
            && let Some((paused, place)) =
                self.count(annotations, "autoscaling.keda.sh/paused-replicas")?
            && paused > pods
        {
            (pods, at) = (paused, place);
        }
        let least = self.count(spec, least.0)?.map_or(least.1, |(n, _)| n);
        let alone = uncounted(format!(
            "it scales `{kind} {name}`, which no adopted manifest has"
        ));
        Ok(Some(Scaler {
            kind,
            name,
            namespace,
            least,
            most: pods,
            at,
            alone,
        }))
    }
}
