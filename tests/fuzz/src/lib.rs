//! What the targets share: how a frame must look, and components out of text.

pub mod components;
pub mod frames;
