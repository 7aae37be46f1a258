//! Multi-label and ranking metrics that agree with scikit-learn.
