"""An internal-enrichment connector of OpenCTI: the weaknesses and techniques that a vulnerability's description tells."""
