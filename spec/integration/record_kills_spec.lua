-- SPDX-License-Identifier: MIT
-- Recorders that are killed, plain and compressing: each goes on with the same file, which has nothing twice, and
-- nothing that the service did not make.   KILLS=200 SEED=7: so many, at lengths of the file that the seed draws

local await = require "spec.support.await"
local project = require "spec.support.project"
local recorded = require "spec.support.recorded"
local simulator = require "spec.support.simulator"

describe("a recording survives recorders that are killed,", function()
  local sim, client, ids, folder, remove

  setup(function()
    sim = simulator.start { rate = 20, rate_limit = 0, feeds = 3 }
    client = sim:client { rate_limit = false }
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    folder, remove = project.folder()
    math.randomseed(tonumber(os.getenv "SEED") or 1)
  end)

  teardown(function()
    client:close()
    sim:stop()
    remove()
  end)

  local function length_of(path)
    local file = io.open(path, "rb")
    local size = file and file:seek "end" or 0
    if file then file:close() end
    return size
  end

  -- Runs a recorder until the file is so much longer, and kills it.
  local function record_and_kill(path, bytes)
    project.write(folder .. "/script.lua", ([[
      local stream = require "chainlink".client_from_env():stream { %q, %q, %q }
      assert(stream:record(%q, { fsync = true }))
      for _ in stream do end
    ]]):format(ids[1], ids[2], ids[3], path))
    local wanted = length_of(path) + bytes
    local pipe = io.popen(("%s %s %s/script.lua & echo $!; wait"):format(sim:exports(), project.lua, folder))
    local pid = pipe:read "*l"
    await("a recording", function() return length_of(path) >= wanted end)
    os.execute("kill -9 " .. pid)
    pipe:close() -- the process has ended then, and its lock
  end

  -- No report is there twice, and the service made all of them.
  local function check(reports)
    local seen, first, last = {}, math.huge, 0
    for _, line in ipairs(reports) do
      assert.is_nil(seen[line.fullReport], "a report is there twice")
      seen[line.fullReport] = true
      first, last = math.min(first, line.observationsTimestamp), math.max(last, line.observationsTimestamp)
    end
    for _, id in ipairs(ids) do
      for report in client:reports(id, first, last) do seen[report.full_report] = nil end
    end
    assert.is_nil(next(seen), "a report that the service did not make")
  end

  -- A compressed file is written once a second.
  for _, kind in ipairs {
    { name = "plain", suffix = "", reader = "cat", kills = 8, bytes = 30000 },
    { name = "gzip", suffix = ".gz", reader = "gzip -dc", kills = 3, bytes = 8000 },
    { name = "zstd", suffix = ".zst", reader = "zstd -dc", kills = 3, bytes = 8000 },
  } do
    it(kind.name, function()
      local path, kills = folder .. "/r.jsonl" .. kind.suffix, tonumber(os.getenv "KILLS") or kind.kills
      local stream = client:stream { ids[1] }
      local done, err = stream:record(path)
      if not done then
        assert.equal("ConfigError", err.kind)
        return pending("this build is without " .. kind.name)
      end
      stream:close()
      for _ = 1, kills do record_and_kill(path, math.random(1, kind.bytes)) end
      stream = client:stream { ids[1] }
      assert.is_true(stream:record(path)) -- which mends it
      stream:close()
      local output, status = project.run(("%s %s >%s/plain"):format(kind.reader, path, folder))
      if output:find "not found" then return pending(kind.reader .. " is missing") end
      assert.same({ "", 0 }, { output, status })
      local found = recorded.read(folder .. "/plain")
      assert.equal(kills + 2, #found.heads)
      check(found.reports)
      assert.is_true(#found.reports > kills)
    end)
  end
end)
