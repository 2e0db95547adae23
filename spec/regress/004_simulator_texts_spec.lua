-- SPDX-License-Identifier: MIT
-- The simulator kept pointers into the texts of its options, which nothing held but the options table: an on_ready that
-- emptied it had the service compare keys with freed memory.

local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

-- No text of the options is a constant of the script, so that the options alone hold them.
local SCRIPT = [[
local size = 100
local function text(letter) return letter:rep(size) end
local function key(letter) return { key = text(letter), secret = text(letter:upper()) } end
local options = { plain = true, rate_limit = 0, feeds = 1, origins = { text "o" }, keys = { key "k", key "l" },
  host = "127.0.0.1", port = 0, certificate = "good", seed = 1, rate = 1, fast_count = 0, fast_rate = 1, ms_count = 0,
  irregular = 0, presign = 0, oracles = 4, signers = 2, clock_offset = 0, speed = 0 }

local function empty(list)
  for name, value in pairs(list) do
    list[name] = nil
    if type(value) == "table" then empty(value) end
  end
end

-- Takes the place of whatever was freed.
local function overwrite()
  local kept = {}
  for i = 1, 20000 do kept[i] = ("x"):rep(size - 5) .. ("%05d"):format(i) end
  return kept
end

function options.on_ready(ready)
  empty(options)
  collectgarbage()
  collectgarbage()
  options.kept = overwrite()
  io.write("export CHAINLINK_STREAMS_REST_URL='", ready.rest_url, "'\n")
  io.write("export CHAINLINK_STREAMS_WS_URL='", ready.ws_url, "'\n")
  io.write("export CHAINLINK_SIMULATOR_PID=", ready.pid, "\n")
  io.flush()
end
options.exit_with_parent = true
assert(require "chainlink.simulator".run(options))
]]

describe("a simulator whose on_ready empties its options", function()
  it("still knows its keys", function()
    local folder, remove = project.folder()
    finally(remove)
    project.write(folder .. "/simulate.lua", SCRIPT)
    local sim = simulator.run(("exec %s %s/simulate.lua"):format(project.lua, folder))
    finally(function()
      sim:stop()
      remove()
    end)
    for _, letter in ipairs { "k", "l" } do
      local client = sim:client { api_key = letter:rep(100), api_secret = letter:upper():rep(100) }
      local feeds, err = client:get_feeds()
      client:close()
      assert.are.equal(1, #assert(feeds, err))
    end
  end)
end)
