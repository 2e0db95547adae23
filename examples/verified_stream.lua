-- SPDX-License-Identifier: MIT
-- A stream of which only reports arrive that the oracles signed.
--   lua examples/verified_stream.lua SIGNERS_FILE FEED_ID…
-- The file is JSON, {"0x<config digest>": {"signers": ["0x…", …], "f": 1}}, as docs/verification.md tells.
local chainlink = require "chainlink"

local signers_file, ids = arg[1], {}
for i = 2, #arg do ids[#ids + 1] = arg[i] end
if not signers_file or #ids == 0 then
  io.stderr:write "usage: lua examples/verified_stream.lua SIGNERS_FILE FEED_ID...\n"
  return os.exit(2)
end

local registry = assert(chainlink.signers.from_file(signers_file))
local client = chainlink.client_from_env()
local stream = client:stream(ids, {
  verify = registry,
  on_status = function(event)
    if event.state == "unverified" then
      io.stderr:write(("# not delivered: a report of %s: %s\n"):format(event.feed_id, event.reason))
    end
  end,
})

io.stdout:setvbuf "line"

local function run()
  for report in stream do
    local signers = assert(report:signers())
    print(("%s %s, signed by %s"):format(report.feed_id, report:exact "price", table.concat(signers, " ")))
  end
end

local ok, err = pcall(run)
local refused = stream:stats().unverified
client:close()
io.stderr:write(("# %d reports were not verified\n"):format(refused))
if not ok and tostring(err):find("interrupted!", 1, true) then os.exit(130, true) end -- Ctrl-C
if not ok then error(err, 0) end
