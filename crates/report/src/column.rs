//! Columns of a report, one for each task. Tasks may share a kind of ids: names belong to ids, lists to tasks.

use vulnlens_model::{Labels, Prediction, ScoredLabel, Task};
use vulnlens_taxonomy::{CapecId, CweId, KnowledgeBase, TacticId, TechniqueId};

use crate::label::Label;

/// The labels of one task in a report.
pub(crate) trait Column: 'static {
    /// The ids of the labels.
    type Id: Label;

    /// The task.
    const TASK: Task;

    /// The heading for people.
    const TITLE: &'static str;

    /// The prediction's labels of this task.
    fn of(prediction: &Prediction) -> Option<&Labels<Self::Id>>;

    /// True for the column that shows the task of a prediction: techniques or, in their place, tactics.
    fn is_shown(_prediction: &Prediction) -> bool {
        true
    }

    /// The chain's steps to a label, from the first of the weaknesses that leads there.
    fn way(_from: &[ScoredLabel<CweId>], _to: Self::Id, _kb: &KnowledgeBase) -> Option<Vec<String>> {
        None
    }
}

/// Evaluates an expression for every column, in the order of the outputs; of techniques and their tactics a prediction
/// has one ([`Column::is_shown`]): `each_column!(C => self.push::<C>())`.
macro_rules! each_column {
    ($column:ident => $body:expr) => {{
        {
            type $column = $crate::column::Cwe;
            $body;
        }
        {
            type $column = $crate::column::Capec;
            $body;
        }
        {
            type $column = $crate::column::Attack;
            $body;
        }
        {
            type $column = $crate::column::AttackTactics;
            $body;
        }
        {
            type $column = $crate::column::AttackCurated;
            $body;
        }
        {
            type $column = $crate::column::AttackCuratedTactics;
            $body;
        }
    }};
}
pub(crate) use each_column;

pub(crate) struct Cwe;

impl Column for Cwe {
    type Id = CweId;
    const TASK: Task = Task::Cwe;
    const TITLE: &'static str = "Weaknesses (CWE)";

    fn of(prediction: &Prediction) -> Option<&Labels<CweId>> {
        prediction.cwe.as_ref()
    }
}

pub(crate) struct Capec;

impl Column for Capec {
    type Id = CapecId;
    const TASK: Task = Task::Capec;
    const TITLE: &'static str = "Attack patterns (CAPEC)";

    fn of(prediction: &Prediction) -> Option<&Labels<CapecId>> {
        prediction.capec.as_ref()
    }

    fn way(from: &[ScoredLabel<CweId>], to: CapecId, kb: &KnowledgeBase) -> Option<Vec<String>> {
        let way = from.iter().find_map(|from| kb.paths_to_capec(from.label, to).into_iter().next())?;
        Some(way.iter().map(CweId::to_string).chain([to.to_string()]).collect())
    }
}

pub(crate) struct Attack;

impl Column for Attack {
    type Id = TechniqueId;
    const TASK: Task = Task::Attack;
    const TITLE: &'static str = "Techniques (ATT&CK)";

    fn of(prediction: &Prediction) -> Option<&Labels<TechniqueId>> {
        prediction.attack.as_ref()
    }

    fn is_shown(prediction: &Prediction) -> bool {
        prediction.attack_tactics.is_none()
    }

    fn way(from: &[ScoredLabel<CweId>], to: TechniqueId, kb: &KnowledgeBase) -> Option<Vec<String>> {
        // Patterns may lead to an older id that `to` stands for today.
        let older = kb.techniques().map(|t| t.id).filter(|old| *old != to && kb.current(*old) == to);
        let ids: Vec<TechniqueId> = [to].into_iter().chain(older).collect();
        let first = |from: &ScoredLabel<CweId>| {
            ids.iter().find_map(|id| kb.paths(from.label, *id).into_iter().next())
        };
        let path = from.iter().find_map(first)?;
        let today = (path.technique != to).then_some(to);
        let steps = path.cwe.iter().map(CweId::to_string).chain([path.capec.to_string()]);
        let techniques = [path.technique].into_iter().chain(today);
        Some(steps.chain(techniques.map(|id| id.to_string())).collect())
    }
}

pub(crate) struct AttackCurated;

impl Column for AttackCurated {
    type Id = TechniqueId;
    const TASK: Task = Task::AttackCurated;
    const TITLE: &'static str = "Techniques that analysts assign (ATT&CK)";

    fn of(prediction: &Prediction) -> Option<&Labels<TechniqueId>> {
        prediction.attack_curated.as_ref()
    }

    fn is_shown(prediction: &Prediction) -> bool {
        prediction.attack_curated_tactics.is_none()
    }
}

pub(crate) struct AttackTactics;

impl Column for AttackTactics {
    type Id = TacticId;
    const TASK: Task = Task::Attack;
    const TITLE: &'static str = "Tactics (ATT&CK)";

    fn of(prediction: &Prediction) -> Option<&Labels<TacticId>> {
        prediction.attack_tactics.as_ref()
    }

    fn is_shown(prediction: &Prediction) -> bool {
        prediction.attack_tactics.is_some()
    }
}

pub(crate) struct AttackCuratedTactics;

impl Column for AttackCuratedTactics {
    type Id = TacticId;
    const TASK: Task = Task::AttackCurated;
    const TITLE: &'static str = "Tactics of techniques that analysts assign (ATT&CK)";

    fn of(prediction: &Prediction) -> Option<&Labels<TacticId>> {
        prediction.attack_curated_tactics.as_ref()
    }

    fn is_shown(prediction: &Prediction) -> bool {
        prediction.attack_curated_tactics.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_a_column() {
        let mut tasks = vec![];
        let prediction = Prediction::default();
        each_column!(C => tasks.extend(C::is_shown(&prediction).then_some(C::TASK)));
        assert_eq!(tasks, Task::ALL);
    }
}
