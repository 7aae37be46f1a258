//! Tasks: the questions that a model answers about a text.

use serde::{Deserialize, Serialize};

/// A question that a model answers about a text with a list of labels.
///
/// A task is not a taxonomy: two tasks may answer with ids of the same kind. [`Task::Attack`] lists the techniques that
/// follow from the weaknesses, [`Task::AttackCurated`] those that analysts assign by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Task {
    /// Weaknesses.
    Cwe,
    /// Attack patterns.
    Capec,
    /// ATT&CK techniques; through the chain, unless the model has labels of its own for them.
    Attack,
    /// ATT&CK techniques as analysts assign them.
    AttackCurated,
}

impl Task {
    /// All tasks, in the order of the outputs.
    pub const ALL: &'static [Self] = &[Self::Cwe, Self::Capec, Self::Attack, Self::AttackCurated];

    /// The task's key in every file and output.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Cwe => "cwe",
            Self::Capec => "capec",
            Self::Attack => "attack",
            Self::AttackCurated => "attack_curated",
        }
    }

    /// The task in a few words, for people.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Cwe => "Weaknesses",
            Self::Capec => "Attack patterns",
            Self::Attack => "ATT&CK techniques",
            Self::AttackCurated => "ATT&CK techniques as analysts assign them",
        }
    }
}

/// A set of tasks.
///
/// ```
/// use vulnlens_model::{Task, Tasks};
///
/// let tasks: Tasks = [Task::Attack, Task::Cwe].into_iter().collect();
/// assert!(tasks.contains(Task::Cwe) && !tasks.contains(Task::Capec));
/// assert_eq!(tasks.iter().map(Task::key).collect::<Vec<_>>(), ["cwe", "attack"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tasks(u8);

impl Tasks {
    /// No task.
    pub const NONE: Self = Self(0);
    /// All tasks.
    pub const ALL: Self =
        Self::NONE.with(Task::Cwe).with(Task::Capec).with(Task::Attack).with(Task::AttackCurated);

    /// The set with `task`.
    #[must_use]
    pub const fn with(self, task: Task) -> Self {
        Self(self.0 | (1 << task as u8))
    }

    /// The set without `task`.
    #[must_use]
    pub const fn without(self, task: Task) -> Self {
        Self(self.0 & !(1 << task as u8))
    }

    /// The tasks that are in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// True if `task` is in the set.
    #[must_use]
    pub const fn contains(self, task: Task) -> bool {
        self.0 & (1 << task as u8) != 0
    }

    /// The tasks of the set, in the order of [`Task::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Task> {
        Task::ALL.iter().copied().filter(move |task| self.contains(*task))
    }
}

impl Serialize for Tasks {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::ALL
    }
}

impl From<Task> for Tasks {
    fn from(task: Task) -> Self {
        Self::NONE.with(task)
    }
}

impl FromIterator<Task> for Tasks {
    fn from_iter<I: IntoIterator<Item = Task>>(tasks: I) -> Self {
        tasks.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_in_json() {
        for task in Task::ALL {
            assert_eq!(serde_json::to_value(task).unwrap(), task.key());
        }
    }

    #[test]
    fn sets_hold_what_was_put_in() {
        assert_eq!(Task::ALL.iter().copied().collect::<Tasks>(), Tasks::ALL);
        for task in Task::ALL.iter().copied() {
            assert_eq!(Tasks::from(task).iter().collect::<Vec<_>>(), [task]);
            assert!(!Tasks::ALL.without(task).contains(task));
            assert_eq!(Tasks::ALL.without(task).with(task), Tasks::ALL);
            assert_eq!(Tasks::ALL.without(task).and(Tasks::from(task)), Tasks::NONE);
        }
    }
}
