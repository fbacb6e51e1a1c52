//! Scheme text to a checked plan, and the evaluation of one record. No I/O, no async, no clock, no environment.
