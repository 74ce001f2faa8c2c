//! Records in the terms of the Open Cybersecurity Schema Framework.
