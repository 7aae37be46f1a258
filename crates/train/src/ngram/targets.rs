//! The teachers' answers, in little room.

/// How many sets of a teacher's answer are kept; they carry all but about a thousandth of it.
const KEPT: usize = 24;

/// Sparse distributions over CWE sets, `KEPT` places a text.
#[derive(Debug)]
pub(crate) struct SoftTargets {
    sets: Vec<u16>,
    probabilities: Vec<f32>,
}

impl SoftTargets {
    /// No answers yet.
    pub(crate) fn new() -> Self {
        Self { sets: vec![], probabilities: vec![] }
    }

    /// Adds the answer to the next text: the greatest `KEPT` of `probabilities`, scaled to sum 1.
    pub(crate) fn push(&mut self, probabilities: &[f32], order: &mut Vec<u16>) {
        order.clear();
        order.extend((0..probabilities.len()).map(|set| set as u16));
        let by_probability = |&a: &u16, &b: &u16| {
            probabilities[b as usize].total_cmp(&probabilities[a as usize]).then(a.cmp(&b))
        };
        if order.len() > KEPT {
            order.select_nth_unstable_by(KEPT, by_probability);
            order.truncate(KEPT);
        }
        // A fixed order of addition, whatever the selection left.
        order.sort_unstable();
        let total: f32 = order.iter().map(|&set| probabilities[set as usize]).sum();
        for place in 0..KEPT {
            let set = order.get(place).copied();
            self.sets.push(set.unwrap_or(0));
            self.probabilities.push(set.map_or(0.0, |set| probabilities[set as usize] / total));
        }
    }

    /// The answer to a text.
    pub(crate) fn of(&self, text: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = text * KEPT..(text + 1) * KEPT;
        let sets = self.sets[range.clone()].iter().map(|&set| usize::from(set));
        sets.zip(self.probabilities[range].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_most_probable_sets_and_sums_to_one() {
        let mut p = vec![0.0001f32; 100];
        p[7] = 0.6;
        p[50] = 0.3;
        let mut targets = SoftTargets::new();
        targets.push(&[1.0], &mut vec![]);
        targets.push(&p, &mut vec![]);
        let kept: Vec<(usize, f32)> = targets.of(1).collect();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.iter().any(|&(set, p)| set == 7 && p > 0.6));
        assert!((kept.iter().map(|k| k.1).sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(targets.of(0).next(), Some((0, 1.0)));
    }
}
