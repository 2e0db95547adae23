-- SPDX-License-Identifier: MIT
std = "min"
max_line_length = 120
exclude_files = { "**/node_modules" }
files["spec"] = { std = "+busted" }
files["spec/types/given.lua"] = { ignore = { "1" } }
files["types"] = { ignore = { "1", "2" } } -- declarations for the language server, nothing runs
files["lua/chainlink/openresty"] = { std = "+ngx_lua" }
files["lua/chainlink/openresty.lua"] = { std = "+ngx_lua" }
