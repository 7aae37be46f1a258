//! Classifiers of vulnerability text: the n-gram model, decoding and explanation.
