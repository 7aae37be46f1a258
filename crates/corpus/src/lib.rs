//! Vulnerability records: sources, labels, duplicates, splits and the data set on disk.
