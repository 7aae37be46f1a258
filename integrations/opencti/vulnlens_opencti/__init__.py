"""A connector of OpenCTI: the weaknesses and techniques that the description of a vulnerability tells."""
