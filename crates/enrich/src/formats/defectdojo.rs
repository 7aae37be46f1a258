//! Generic findings of DefectDojo: `cwe`, one number, of which 0 stands for none. There is no room for its origin.

use super::format::{Finding, Format};
use crate::filling::{Filling, Origin};
use crate::json::{Edits, Json, Node, Object, Unfit};

/// Generic findings of DefectDojo.
pub(super) struct DefectDojo;

impl Format for DefectDojo {
    fn name(&self) -> &'static str {
        "json"
    }

    fn accepts(&self, finding: &Node<'_>, root: &Node<'_>) -> bool {
        let has = |node: &Node<'_>, keys: &[&str]| {
            let object = Object::new(node.clone(), "finding").ok();
            object.is_some_and(|object| keys.iter().all(|key| object.keys().any(|known| known == *key)))
        };
        has(root, &["findings"]) && has(finding, &["title", "severity", "description"])
    }

    fn fill(
        &self,
        finding: &Finding<'_>,
        filling: &Filling,
        _: &Origin,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let mut found = Object::new(finding.node.clone(), "finding")?;
        if let Some(first) = filling.weaknesses.first() {
            found.fill("cwe", Json::Whole(first.number), &["0"], edits)?;
        }
        found.finish(edits);
        Ok(())
    }
}
