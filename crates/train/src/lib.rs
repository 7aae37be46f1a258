//! Fitting and evaluating vulnlens models.
