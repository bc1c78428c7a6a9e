//! For authors of plugins: toolchains, builds and new projects in each
//! language. Must not know of a running business.
