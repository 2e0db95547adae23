-- SPDX-License-Identifier: MIT
-- JSON that others wrote: not nested deeper than anything that is expected.

local json = require("cjson.safe").new()

json.decode_max_depth(16)

return json
