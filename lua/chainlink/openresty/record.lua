-- SPDX-License-Identifier: MIT
-- A report as it lies in a lua_shared_dict: a line of what its bytes do not tell, and the bytes. JSON is made of it for
-- those who want some.

local core = require "chainlink.core"
require "chainlink.report"

local record = {}

--- Event `number`.
record.pack = core.keep

--- -> event's number, feed id, observed and valid from (0: not known) in milliseconds; nil when this is no record
function record.head(text)
  local number, id, observed, valid_from = text:match "^(%d+) (%S+) (%d+) (%d+) "
  return tonumber(number), id, tonumber(observed), tonumber(valid_from)
end

--- The report as the stream gave it; nil when this is none.
function record.unpack(text)
  local observed, valid_from, received_at, backfilled, origin, bytes =
    text:match "^%d+ %S+ (%d+) (%d+) (%d+) (%d) ([^\n]*)\n()"
  return bytes and core.restore(text:sub(bytes), observed, valid_from, received_at, backfilled == "1", origin)
end

return record
