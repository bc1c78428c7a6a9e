//! Generated from `wit/`. Only what reads the store, and HTTP, wait for I/O, and
//! only the store can fail in a way that a plugin has no answer to.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "plugin",
    imports: {
        "switchboard:plugin/http.send": async,
        "switchboard:plugin/media.info": async | trappable,
        "switchboard:plugin/media.read": async | trappable,
        "switchboard:plugin/kv.get": async | trappable,
        "switchboard:plugin/kv.keys": async | trappable,
        "switchboard:plugin/kv.set": async | trappable,
        "switchboard:plugin/effects.set-timer": async | trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
});
