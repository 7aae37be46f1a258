//! Scores of the networks of a hierarchy, and their routing: which parents the labels below them count for.

use std::path::Path;

use vulnlens_encoder::{Encoder, LoadOptions, Weights};

use super::figures::Parents;
use super::tree::{MASTER, Tree, slave};
use crate::encoder::folder::HierarchyForm;
use crate::error::TrainError;

/// A parent is answered above this score: the rule that hierarchies are read by.
const ANSWERED: f32 = 0.5;

/// A checkpoint under evaluation.
pub(crate) struct Network {
    encoder: Encoder,
    pub(crate) parameters: u64,
}

impl Network {
    /// The checkpoint in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, TrainError> {
        let (encoder, weights) = (Encoder::open(folder, &LoadOptions::default())?, Weights::open(folder)?);
        let shapes = weights.names().filter_map(|name| weights.shape(name));
        let parameters = shapes.map(|shape| shape.iter().map(|&size| size as u64).product::<u64>()).sum();
        Ok(Self { encoder, parameters })
    }

    /// The columns of these labels in the scores of each text.
    pub(crate) fn columns(&self, names: &[String], folder: &Path) -> Result<Vec<usize>, TrainError> {
        let labels = self.encoder.labels();
        let column = |name: &String| {
            labels.iter().position(|label| label == name).ok_or_else(|| {
                let problem = format!("has no label {name}, which the data have");
                TrainError::refused(folder, problem, "evaluate on the data that it was trained on")
            })
        };
        names.iter().map(column).collect()
    }

    /// The scores of some columns, one row a text.
    pub(crate) fn scores(&self, texts: &[&str], columns: &[usize]) -> Vec<f32> {
        let scores = self.encoder.scores(texts);
        let rows = scores.chunks_exact(self.encoder.labels().len());
        rows.flat_map(|row| columns.iter().map(|&column| row[column])).collect()
    }
}

/// The networks of a hierarchy.
pub(crate) struct Networks<'a> {
    tree: &'a Tree,
    /// The labels that are not parents, by their places in the flat space.
    leaves: Vec<u32>,
    networks: Vec<Network>,
    /// The master network: parents, and labels without a part.
    master: NetworkOutputs,
    /// The refined parents' parts, with the parents' places.
    parts: Vec<(usize, NetworkOutputs)>,
}

/// Some outputs of a network.
struct NetworkOutputs {
    network: usize,
    columns: Vec<usize>,
    /// Where its labels stand among the leaves; the master's first outputs are parents.
    leaves: Vec<usize>,
}

/// Scores by part, one row a text.
pub(crate) struct Scored {
    master: Vec<f32>,
    parts: Vec<Vec<f32>>,
}

impl<'a> Networks<'a> {
    pub(crate) fn open(folder: &Path, tree: &'a Tree, form: HierarchyForm) -> Result<Self, TrainError> {
        let leaves = tree.leaves();
        let mut networks = vec![];
        let mut part = |name: &str, names: &[String], labels: &[u32]| -> Result<NetworkOutputs, TrainError> {
            let folder = match form {
                HierarchyForm::Cascade => folder.join(name),
                HierarchyForm::Shared => folder.to_owned(),
            };
            if form == HierarchyForm::Cascade || networks.is_empty() {
                networks.push(Network::open(&folder)?);
            }
            let network = networks.len() - 1;
            let columns = networks[network].columns(names, &folder)?;
            let places = labels.iter().filter_map(|label| leaves.binary_search(label).ok());
            Ok(NetworkOutputs { network, columns, leaves: places.collect() })
        };
        let loose = tree.loose();
        let mut names: Vec<String> = tree.parents.iter().map(|parent| parent.name.clone()).collect();
        names.extend(tree.names(&loose));
        let master = part(MASTER, &names, &loose)?;
        let parts = tree.refined().map(|(at, parent)| {
            Ok((at, part(&slave(&parent.name), &tree.names(&parent.children), &parent.children)?))
        });
        let parts = parts.collect::<Result<_, TrainError>>()?;
        Ok(Self { tree, leaves, networks, master, parts })
    }

    pub(crate) fn count(&self) -> usize {
        self.networks.len()
    }

    pub(crate) fn parameters(&self) -> u64 {
        self.networks.iter().map(|network| network.parameters).sum()
    }

    /// The scores of every part for every text; [`Self::routed`] decides which of them count.
    pub(crate) fn score(&self, texts: &[&str]) -> Scored {
        let score = |part: &NetworkOutputs| self.networks[part.network].scores(texts, &part.columns);
        Scored {
            master: score(&self.master),
            parts: self.parts.iter().map(|(_, part)| score(part)).collect(),
        }
    }

    /// The scores of the leaves, one row a text, where these labels of the flat space apply to each; 0 is ruled out. A
    /// label of several parts has the greatest of their scores.
    pub(crate) fn routed(&self, scored: &Scored, gold: &[&[u32]], parents: Parents) -> Vec<f32> {
        let width = self.leaves.len();
        let mut scores = vec![0.0; gold.len() * width];
        for (text, row) in scores.chunks_exact_mut(width.max(1)).enumerate() {
            let above = self.master_row(scored, text);
            let loose = &above[self.tree.parents.len()..];
            self.master.leaves.iter().zip(loose).for_each(|(&leaf, &score)| row[leaf] = score);
            for ((parent, part), of_part) in self.parts.iter().zip(&scored.parts) {
                let weight = match parents {
                    Parents::Gold => f32::from(u8::from(self.tree.parents[*parent].applies(gold[text]))),
                    Parents::Predicted => f32::from(u8::from(above[*parent] > ANSWERED)),
                    Parents::Weighed | Parents::None => above[*parent],
                };
                let said = &of_part[text * part.leaves.len()..][..part.leaves.len()];
                for (&leaf, &score) in part.leaves.iter().zip(said) {
                    row[leaf] = row[leaf].max(weight * score);
                }
            }
        }
        scores
    }

    /// The parents that the master answers for each text, with scores above a half, and those that apply.
    pub(crate) fn parents(&self, scored: &Scored, gold: &[&[u32]]) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let of_text = |(text, gold): (usize, &&[u32])| {
            let above = (0..).zip(&self.master_row(scored, text)[..self.tree.parents.len()]);
            let said = above.filter(|(_, score)| **score > ANSWERED).map(|(parent, _)| parent);
            let apply = (0..).zip(&self.tree.parents).filter(|(_, parent)| parent.applies(gold));
            (said.collect(), apply.map(|(parent, _)| parent).collect())
        };
        gold.iter().enumerate().map(of_text).unzip()
    }

    fn master_row<'s>(&self, scored: &'s Scored, text: usize) -> &'s [f32] {
        let width = self.master.columns.len();
        &scored.master[text * width..][..width]
    }
}
