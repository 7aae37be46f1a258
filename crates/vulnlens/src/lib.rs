//! What weaknesses, attack patterns and ATT&CK techniques a vulnerability's text implies.
