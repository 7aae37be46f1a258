//! A network and a knowledge base together: texts in, predictions out.

use std::sync::Arc;

use vulnlens_taxonomy::{KnowledgeBase, Versions};

use crate::explain::{Explainer, Explanation};
use crate::labels::LabelMap;
use crate::network::Network;
use crate::outputs::{LabelOutputs, Outputs};
use crate::prediction::{Input, LabelSource, Options, Prediction};
use crate::prepared::Prepared;

/// A classifier of vulnerability texts.
///
/// The network scores its outputs, the knowledge base says what follows from them: a newer knowledge base changes what
/// follows, without a new network. Clones share both.
#[derive(Clone)]
pub struct Classifier {
    network: Arc<dyn Network>,
    kb: Arc<KnowledgeBase>,
    map: Arc<LabelMap>,
}

impl Classifier {
    /// A classifier by `network` and the chain of `kb`.
    #[must_use]
    pub fn new(network: impl Network + 'static, kb: impl Into<Arc<KnowledgeBase>>) -> Self {
        Self::of(Arc::new(network), kb.into())
    }

    /// A classifier of parts that others share.
    #[must_use]
    pub fn of(network: Arc<dyn Network>, kb: Arc<KnowledgeBase>) -> Self {
        let labels = network.outputs().labels();
        let map = Arc::new(labels.map_or_else(|| LabelMap::new(&[], None), LabelOutputs::map));
        Self { network, kb, map }
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Arc<dyn Network> {
        &self.network
    }

    /// The knowledge base.
    #[must_use]
    pub fn knowledge_base(&self) -> &Arc<KnowledgeBase> {
        &self.kb
    }

    /// The labels of a checkpoint by taxonomy; none for a network of CWE sets.
    #[must_use]
    pub fn label_map(&self) -> &LabelMap {
        &self.map
    }

    /// Makes the label spaces ready that `options` ask for (a few milliseconds; keep it).
    #[must_use]
    pub fn prepare(&self, options: &Options) -> Prepared {
        Prepared::new(self.clone(), *options)
    }

    /// Classifies one text. For more than one, [`prepare`](Self::prepare) once.
    #[must_use]
    pub fn predict(&self, input: Input<'_>, options: &Options) -> Prediction {
        self.prepare(options).predict(input)
    }

    /// Explains the answer to one text. For more than one, make an [`Explainer`] once.
    #[must_use]
    pub fn explain(&self, input: Input<'_>, options: &Options) -> Explanation {
        Explainer::new(self, options).explain(input)
    }

    /// The facts that the records of a run with `options` have in common.
    #[must_use]
    pub fn run(&self, options: &Options) -> Run {
        let labels = match self.network.outputs() {
            Outputs::CweSets(_) => LabelSource::Spaces(options.labels),
            Outputs::Labels(_) => self.map.source(options.tasks),
        };
        Run {
            model: self.network.name().to_owned(),
            model_revision: self.network.revision().to_owned(),
            versions: self.kb.versions().clone(),
            labels,
        }
    }
}

/// The facts that all records of one run have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The model's name.
    pub model: String,
    /// The model's revision, 12 hexadecimal digits.
    pub model_revision: String,
    /// The releases of the knowledge base.
    pub versions: Versions,
    /// The source of the labels, which decides what their scores mean.
    pub labels: LabelSource,
}

impl Run {
    /// A run with the model of this name and revision.
    #[must_use]
    pub fn new(model: &str, model_revision: &str, versions: Versions, labels: LabelSource) -> Self {
        Self { model: model.to_owned(), model_revision: model_revision.to_owned(), versions, labels }
    }
}
