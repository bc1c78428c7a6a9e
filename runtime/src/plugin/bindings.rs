//! Generated from `wit/`. Only what reads the store waits for I/O, and
//! only it can fail in a way that a plugin has no answer to.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
    imports: {
        "switchboard:plugin/kv.get": async | trappable,
        "switchboard:plugin/kv.keys": async | trappable,
        "switchboard:plugin/kv.set": async | trappable,
        "switchboard:plugin/effects.set-timer": async | trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
});
