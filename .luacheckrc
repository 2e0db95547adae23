-- SPDX-License-Identifier: MIT
std = "min"
max_line_length = 120
exclude_files = { "**/node_modules" }
files["spec"] = { std = "+busted" }
files["types"] = { ignore = { "1", "2" } } -- declarations for the language server, nothing runs
