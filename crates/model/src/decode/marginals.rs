//! Marginals: the probabilities of labels, added up over the CWE sets that the chain leads to them from.
//!
//! P(label) = Σ over CWE sets of P(set) · [label ∈ chain(set)].
//!
//! Many sets share one label list (some 500 technique lists for some 2,000 sets), so probabilities are first added up by
//! list. The lists make a forest: what the chain leads to from a weakness is what it leads to from its parent, and more.
//! A list's probability is therefore handed to what it has beyond the list above it, and to that list, which hands it on:
//! a few thousand additions in place of a hundred thousand.
//!
//! Several texts go this way side by side, each in a lane of a vector: an addition for one is an addition for all. The
//! sums of a text have the order that they have for it alone.

use std::collections::HashMap;

use crate::softmax::sum_beside;
use crate::wide::{Wide, wide};

/// The multiple of its own probability that a refining set may get from sets that it refines: a guess that
/// the model hardly believes in must not become an answer.
const MOST_REFINED: f32 = 20.0;

/// The list of a set on its way into [`LabelLists`]: rising indices of labels, and the list above it, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NestedList {
    pub(crate) labels: Vec<u32>,
    pub(crate) above: Option<Box<NestedList>>,
}

/// Collects the distinct lists.
#[derive(Default)]
struct Builder {
    number_of_list: HashMap<Vec<u32>, u32>,
    lists: Vec<Vec<u32>>,
    above: Vec<Option<u32>>,
}

impl Builder {
    /// The number of a list; a new one is put below the list above it.
    fn place(&mut self, list: &NestedList) -> u32 {
        if let Some(number) = self.number_of_list.get(&list.labels) {
            return *number;
        }
        // An equal list above is the same list, which then is known.
        let shorter = list.above.as_deref().filter(|above| above.labels.len() < list.labels.len());
        let above = shorter.map(|above| self.place(above));
        let number = self.lists.len() as u32;
        self.number_of_list.insert(list.labels.clone(), number);
        self.lists.push(list.labels.clone());
        self.above.push(above);
        number
    }
}

/// The step by which a list hands on its probability.
#[derive(Debug, Clone, Copy)]
struct HandOn {
    list: u32,
    /// The list that it hands it on to, all labels of which it has.
    above: Option<u32>,
    /// Where in `beyond` its own labels end.
    end: u32,
}

/// The distinct label lists of a space, as indices of labels, and the list of each CWE set.
#[derive(Debug, Clone, Default)]
pub struct LabelLists {
    conditional: bool,
    label_count: usize,
    /// The lists, one behind the other: what is read together lies together.
    members: Vec<u32>,
    /// Where in `members` each list ends.
    ends: Vec<u32>,
    /// The order in which lists hand on their probability, and what each hands it to.
    hand_on: Vec<HandOn>,
    /// The labels that lists have beyond those above them, one behind the other.
    beyond: Vec<u32>,
    list_of_set: Vec<u32>,
    /// The list without a label, if some set has it.
    empty: Option<usize>,
    /// Sets whose probability goes to others first.
    refined: Vec<u32>,
    /// The number of the group of sets that refine the same ones, for each set; empty where nothing is refined.
    group_of_set: Vec<u32>,
    /// The places among the refined of those that each group refines.
    refines: Vec<Vec<u32>>,
}

impl LabelLists {
    /// The lists of CWE sets, given as rising indices below `label_count`. Probabilities are `conditional` if they are
    /// given that the record has some label.
    ///
    /// `lists` are those of the sets, each with the lists that it may stand below: all labels of a list above it are among
    /// its own.
    pub(crate) fn new(lists: Vec<NestedList>, label_count: usize, conditional: bool) -> Self {
        let mut builder = Builder::default();
        let list_of_set = lists.iter().map(|list| builder.place(list)).collect();
        let Builder { lists, above, .. } = builder;
        let (mut members, mut ends): (Vec<u32>, Vec<u32>) = (vec![], vec![]);
        for list in &lists {
            members.extend_from_slice(list);
            ends.push(members.len() as u32);
        }
        let mut order: Vec<u32> = (0..lists.len() as u32).collect();
        // A list above another is shorter; among equally long ones none is above another.
        order.sort_by_key(|&list| std::cmp::Reverse(lists[list as usize].len()));
        let mut beyond: Vec<u32> = vec![];
        let hand_on = order.into_iter().map(|list| {
            let above = above[list as usize];
            let has =
                |label: &&u32| above.is_some_and(|above| lists[above as usize].binary_search(label).is_ok());
            beyond.extend(lists[list as usize].iter().filter(|label| !has(label)));
            HandOn { list, above, end: beyond.len() as u32 }
        });
        let hand_on = hand_on.collect();
        let empty = lists.iter().position(Vec::is_empty);
        Self {
            conditional,
            label_count,
            members,
            ends,
            hand_on,
            beyond,
            list_of_set,
            empty,
            ..Self::default()
        }
    }

    /// Gives the probability of some sets to those that refine them: one list of these for each set.
    pub(crate) fn refine_by(&mut self, refinements: &[Vec<u32>]) {
        let mut refines: Vec<Vec<u32>> = vec![vec![]; refinements.len()];
        for (set, by) in (0u32..).zip(refinements).filter(|(_, by)| !by.is_empty()) {
            let place = self.refined.len() as u32;
            self.refined.push(set);
            by.iter().for_each(|&finer| refines[finer as usize].push(place));
        }
        let mut number: HashMap<Vec<u32>, u32> = HashMap::new();
        for places in refines {
            let next = self.refines.len() as u32;
            let group = *number.entry(places.clone()).or_insert(next);
            if group == next {
                self.refines.push(places);
            }
            self.group_of_set.push(group);
        }
    }

    /// The label indices of a list, rising.
    #[must_use]
    pub fn list(&self, list: u32) -> &[u32] {
        let end = |at: usize| self.ends.get(at).map(|end| *end as usize);
        let start = (list as usize).checked_sub(1).map_or(Some(0), end);
        let range = start.zip(end(list as usize)).map(|(start, end)| start..end);
        range.and_then(|range| self.members.get(range)).unwrap_or_default()
    }

    /// The label indices of a set, rising.
    #[cfg(test)]
    pub(crate) fn list_of_set(&self, set: usize) -> &[u32] {
        self.list(self.list_of_set[set])
    }

    /// The number of labels in the space.
    #[must_use]
    pub fn label_count(&self) -> usize {
        self.label_count
    }

    /// Adds the probabilities of the sets up to those of lists and labels.
    pub fn marginals<'a>(
        &'a self,
        set_probabilities: &[f32],
        buffer: &'a mut MarginalBuffer,
    ) -> Marginals<'a> {
        let MarginalBuffer { beside, sums } = buffer;
        put_beside(set_probabilities, set_probabilities.len(), self.conditional, beside);
        self.add_up(beside, sums);
        let Sums { lists, labels, none: [none], .. } = &*sums;
        Marginals { space: self, lists: lists.as_flattened(), labels: labels.as_flattened(), none: *none }
    }

    /// Adds the probabilities of the sets up to those of lists and labels, for `N` texts side by side.
    pub(crate) fn add_up<const N: usize>(&self, probabilities: &[[f32; N]], sums: &mut Sums<N>) {
        wide(AddUp { space: self, probabilities, sums });
    }
}

/// The arguments of the sums of a space.
struct AddUp<'a, const N: usize> {
    space: &'a LabelLists,
    probabilities: &'a [[f32; N]],
    sums: &'a mut Sums<N>,
}

impl<const N: usize> Wide for AddUp<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { space, probabilities, sums } = self;
        zeros(&mut sums.lists, space.ends.len());
        zeros(&mut sums.labels, space.label_count);
        for (&list, probability) in space.list_of_set.iter().zip(probabilities) {
            add(&mut sums.lists[list as usize], probability);
        }
        space.refine(probabilities, sums);
        let Sums { lists, handed, labels, none, .. } = sums;
        *none = space.empty.map_or([0.0; N], |empty| lists[empty].map(|none| none.clamp(0.0, 1.0)));
        if space.conditional {
            if let Some(empty) = space.empty {
                lists[empty] = [0.0; N];
            }
            // Added up by itself: one minus the rest would be lost in rounding where little is left.
            let scales = sum_beside(lists).map(|some| if some > 0.0 { 1.0 / some } else { 0.0 });
            lists.iter_mut().for_each(|list| each(list, &scales, |probability, scale| probability * scale));
            *none = [0.0; N];
        }
        handed.clear();
        handed.extend_from_slice(lists);
        let mut start = 0;
        for &HandOn { list, above, end } in &space.hand_on {
            let probability = handed[list as usize];
            // By their bits, which compilers compare in one.
            if probability.iter().fold(0, |bits, probability| bits | probability.to_bits()) != 0 {
                for &label in &space.beyond[start..end as usize] {
                    add(&mut labels[label as usize], &probability);
                }
                if let Some(above) = above {
                    add(&mut handed[above as usize], &probability);
                }
            }
            start = end as usize;
        }
        // Sums of many roundings may end a hair above one.
        labels.as_flattened_mut().iter_mut().for_each(|probability| *probability = probability.min(1.0));
    }
}

impl LabelLists {
    /// Moves the probability of refined sets to the lists of those that refine them, in proportion to
    /// what these have by themselves.
    #[inline(always)]
    fn refine<const N: usize>(&self, probabilities: &[[f32; N]], sums: &mut Sums<N>) {
        if self.refined.is_empty() {
            return;
        }
        let Sums { lists, totals, groups, .. } = sums;
        zeros(groups, self.refines.len());
        for (&group, probability) in self.group_of_set.iter().zip(probabilities) {
            add(&mut groups[group as usize], probability);
        }
        zeros(totals, self.refined.len());
        for (places, probability) in self.refines.iter().zip(groups.iter()) {
            places.iter().for_each(|&place| add(&mut totals[place as usize], probability));
        }
        // From what the finer sets have together to the share of their own probability that they get more.
        for (&set, total) in self.refined.iter().zip(totals.iter_mut()) {
            let probability = &probabilities[set as usize];
            let list = &mut lists[self.list_of_set[set as usize] as usize];
            for ((&probability, total), list) in probability.iter().zip(total).zip(list) {
                let is_moved = probability >= LEAST && *total > 0.0;
                let moved = if is_moved { probability.min(MOST_REFINED * *total) } else { 0.0 };
                *list -= moved;
                *total = if is_moved { moved / *total } else { 0.0 };
            }
        }
        for (places, gain) in self.refines.iter().zip(groups.iter_mut()) {
            *gain = [0.0; N];
            places.iter().for_each(|&place| add(gain, &totals[place as usize]));
        }
        for ((&list, &group), probability) in
            self.list_of_set.iter().zip(&self.group_of_set).zip(probabilities)
        {
            let mut gained = groups[group as usize];
            each(&mut gained, probability, |gain, probability| gain * probability);
            add(&mut lists[list as usize], &gained);
        }
        // Taking away what was added up in another order may leave a hair below zero.
        lists.as_flattened_mut().iter_mut().for_each(|probability| *probability = probability.max(0.0));
    }
}

/// Texts whose probabilities are added up at once, each in a lane of a vector: one pass over the lists for all.
pub(crate) const LANES: usize = 8;

/// The least probability of a set that counts. There are at most [`MAX_SETS`](crate::MAX_SETS) sets, so that all that is
/// left out together is below a millionth, and in practice far below what changes a printed digit.
const LEAST: f32 = 1e-10;

/// Puts the rows of `N` texts at most side by side: for each set its probabilities, 0 where they are not likely enough
/// to change what is printed. All count where they are `conditional`, for what they are scaled by may be as little as
/// what would be left out.
pub(crate) fn put_beside<const N: usize>(
    rows: &[f32],
    width: usize,
    conditional: bool,
    beside: &mut Vec<[f32; N]>,
) {
    wide(PutBeside { rows, width, least: if conditional { 0.0 } else { LEAST }, beside });
}

/// The arguments of [`put_beside`].
struct PutBeside<'a, const N: usize> {
    rows: &'a [f32],
    width: usize,
    least: f32,
    beside: &'a mut Vec<[f32; N]>,
}

impl<const N: usize> Wide for PutBeside<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, width, least, beside } = self;
        beside.clear();
        let Some(last) = (rows.len() / width.max(1)).checked_sub(1) else { return };
        // Lanes without a text repeat the last one; nobody reads them.
        let rows: [&[f32]; N] = std::array::from_fn(|lane| &rows[lane.min(last) * width..][..width]);
        beside.extend((0..width).map(|set| rows.map(|row| if row[set] >= least { row[set] } else { 0.0 })));
    }
}

#[inline(always)]
fn zeros<const N: usize>(values: &mut Vec<[f32; N]>, length: usize) {
    values.clear();
    values.resize(length, [0.0; N]);
}

#[inline(always)]
fn each<const N: usize>(values: &mut [f32; N], others: &[f32; N], with: impl Fn(f32, f32) -> f32) {
    values.iter_mut().zip(others).for_each(|(value, other)| *value = with(*value, *other));
}

#[inline(always)]
fn add<const N: usize>(sums: &mut [f32; N], values: &[f32; N]) {
    each(sums, values, |sum, value| sum + value);
}

/// Buffers of [`LabelLists::marginals`].
#[derive(Debug, Clone, Default)]
pub struct MarginalBuffer {
    beside: Vec<[f32; 1]>,
    sums: Sums<1>,
}

/// Sums of probabilities by list and by label, for `N` texts side by side.
#[derive(Debug, Clone)]
pub(crate) struct Sums<const N: usize> {
    /// The probability that the sets refining another have together, then the share that they gain: for each of the
    /// refined, and for each group.
    totals: Vec<[f32; N]>,
    groups: Vec<[f32; N]>,
    /// Probabilities on their way from list to list.
    handed: Vec<[f32; N]>,
    lists: Vec<[f32; N]>,
    labels: Vec<[f32; N]>,
    none: [f32; N],
}

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        let [totals, groups, handed, lists, labels] = Default::default();
        Self { totals, groups, handed, lists, labels, none: [0.0; N] }
    }
}

impl<const N: usize> Sums<N> {
    /// The probabilities of the labels of the text in a lane.
    pub(crate) fn labels_of(&self, lane: usize) -> impl Iterator<Item = f32> + '_ {
        self.labels.iter().map(move |lanes| lanes[lane])
    }

    /// The marginals of the text in a lane, put into `buffer`.
    pub(crate) fn of_lane<'a>(
        &self,
        lane: usize,
        space: &'a LabelLists,
        buffer: &'a mut LaneBuffer,
    ) -> Marginals<'a> {
        let LaneBuffer { lists, labels } = buffer;
        for (own, all) in [(&mut *lists, &self.lists), (&mut *labels, &self.labels)] {
            own.clear();
            own.extend(all.iter().map(|lanes| lanes[lane]));
        }
        Marginals { space, lists, labels, none: self.none[lane] }
    }
}

/// Probabilities of one text by list and by label.
#[derive(Debug, Default)]
pub(crate) struct LaneBuffer {
    lists: Vec<f32>,
    labels: Vec<f32>,
}

/// Probabilities of the lists and the labels of a space for one text.
#[derive(Debug, Clone, Copy)]
pub struct Marginals<'a> {
    /// The label lists of the space.
    pub space: &'a LabelLists,
    /// Probability of each list being the record's whole list.
    pub lists: &'a [f32],
    /// Probability of each label.
    pub labels: &'a [f32],
    /// Probability that no label applies; 0 in a conditional space.
    pub none: f32,
}

impl Marginals<'_> {
    /// The most probable list and its probability; of equals the first. In an unconditional space
    /// it may be the empty list, which means "none".
    #[must_use]
    pub fn best_list(&self) -> Option<(u32, f32)> {
        let mut best: Option<(u32, f32)> = None;
        for (list, &probability) in self.lists.iter().enumerate() {
            if best.is_none_or(|(_, most)| probability > most) {
                best = Some((list as u32, probability));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::softmax::{softmax, sum};

    #[test]
    fn what_is_left_out_is_little() {
        let mut probabilities: Vec<f32> = (0..3000u16).map(|n| 0.5f32.powi(i32::from(n % 60))).collect();
        let total = sum(&probabilities);
        probabilities.iter_mut().for_each(|p| *p /= total);
        let mut beside: Vec<[f32; 1]> = vec![];
        put_beside(&probabilities, probabilities.len(), false, &mut beside);
        let kept: f64 = beside.iter().map(|[p]| f64::from(*p)).sum();
        let all: f64 = probabilities.iter().map(|p| f64::from(*p)).sum();
        assert!(all - kept < 5e-7, "{}", all - kept);
        assert!(beside.contains(&[0.0]));
        put_beside(&probabilities, probabilities.len(), true, &mut beside);
        assert_eq!(beside.as_flattened(), probabilities);
    }

    /// Lists of two labels, some below one of the first of them.
    fn nested_lists(sets: u32, conditional: bool) -> LabelLists {
        let nested = |set: u32| {
            let above = NestedList { labels: vec![set % 7], above: None };
            let above = (!set.is_multiple_of(3)).then(|| Box::new(above));
            NestedList { labels: vec![set % 7, 7 + set % 5], above }
        };
        LabelLists::new((0..sets).map(nested).collect(), 12, conditional)
    }

    #[test]
    fn a_lane_has_the_bits_of_its_text_alone() {
        let sets = 400;
        for (conditional, texts) in [(false, LANES), (true, 3)] {
            let mut lists = nested_lists(sets as u32, conditional);
            if !conditional {
                // Some sets are refined by two others.
                let finer =
                    |set: u32| if set.is_multiple_of(9) { vec![set + 1, (set + 50) % 400] } else { vec![] };
                lists.refine_by(&(0..sets as u32).map(finer).collect::<Vec<_>>());
            }
            let mut rows: Vec<f32> = (0..texts * sets).map(|i| (i * 7919 % 1009) as f32 / 20.0).collect();
            rows.chunks_exact_mut(sets).for_each(softmax);
            let (mut beside, mut sums) = (vec![], Sums::<LANES>::default());
            put_beside(&rows, sets, conditional, &mut beside);
            lists.add_up(&beside, &mut sums);
            for (lane, row) in rows.chunks_exact(sets).enumerate() {
                let mut buffer = LaneBuffer::default();
                let of_lane = sums.of_lane(lane, &lists, &mut buffer);
                let mut buffer = MarginalBuffer::default();
                let alone = lists.marginals(row, &mut buffer);
                assert_eq!(of_lane.lists, alone.lists);
                assert_eq!((of_lane.labels, of_lane.none), (alone.labels, alone.none));
            }
        }
    }

    #[test]
    fn improbable_sets_change_no_printed_figure() {
        let lists = nested_lists(400, false);
        let mut probabilities: Vec<f32> = (0..400u16).map(|n| (-f32::from(n) / 12.0).exp()).collect();
        let total = sum(&probabilities);
        probabilities.iter_mut().for_each(|p| *p /= total);
        let mut exact = [0.0f64; 12];
        for (set, p) in (0u32..).zip(&probabilities) {
            lists.list_of_set(set as usize).iter().for_each(|label| exact[*label as usize] += f64::from(*p));
        }
        let mut buffer = MarginalBuffer::default();
        let marginals = lists.marginals(&probabilities, &mut buffer);
        for (p, exact) in marginals.labels.iter().zip(exact) {
            assert!((f64::from(*p) - exact).abs() < 5e-7, "{p} {exact}");
        }
    }
}
