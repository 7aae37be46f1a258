//! Training: the backward pass of the encoders (of all but DeBERTa), what is minimised, and the optimiser.
//!
//! Works on sequences that are packed end to end, as the forward pass does, with the same kernels. A step is
//!
//! 1. [`TrainingNetwork::forward`]: logits of a [`Batch`], keeping what the backward pass needs;
//! 2. an objective: the loss, and its gradient in the logits ([`BinaryLoss`], [`softmax_loss`], [`MarginalLoss`], or
//!    [`masked_language_loss`] for pretraining);
//! 3. [`TrainingNetwork::backward`]: adds to the [`Gradients`] of all parameters; 1 to 3 may be repeated to accumulate
//!    gradients over parts of a batch;
//! 4. [`TrainingNetwork::step`] by [`AdamW`].
//!
//! **The same bits.** Every sum has one order that depends on the batch alone, and dropout draws from a hash of where a
//! number stands ([`Noise`]): the number of threads changes nothing. How a batch is cut into parts does change the last
//! bits, as it changes the order of sums.
//!
//! There are no data, files, logs or schedules of epochs here: who trains owns the loop.

mod activation;
mod adamw;
mod attention;
mod batch;
mod classifier;
mod embeddings;
mod gating;
mod gradients;
mod head;
mod head_pass;
mod layer;
mod layer_backward;
mod linear;
mod marginal;
mod masked;
mod network;
mod noise;
mod norm;
mod objective;
mod parameters;
mod schedule;
mod settings;
mod table;

pub use adamw::{AdamW, AdamWSettings, Moments, Update, clip_factor, layer_factors};
pub use batch::Batch;
pub use gradients::Gradients;
pub use marginal::MarginalLoss;
pub use network::TrainingNetwork;
pub use noise::{Dropout, Noise};
pub use objective::{BinaryLoss, Loss, masked_language_loss, softmax_loss};
pub use parameters::Parameters;
pub use schedule::{Decay, Schedule};
pub use settings::TrainingSettings;
pub use table::{Part, Table, TensorSpec, Training};
