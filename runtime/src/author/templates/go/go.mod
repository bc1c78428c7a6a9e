module {{name}}

go 1.25

require switchboard v0.0.0

// The contract: made by `switchboard plugin build`.
replace switchboard => ./.switchboard/go
