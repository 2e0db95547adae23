-- SPDX-License-Identifier: MIT
-- types/ declares all that the code has for its users, and nothing that it has not. docs_spec.lua compares the code
-- with the documentation, so that the three agree.
local await = require "spec.support.await"
local chainlink = require "chainlink"
local cjson = require "cjson"
local declared = require "spec.support.declared"
local documents = require "spec.support.documents"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local same, joined, keys, is_public = documents.same, documents.joined, documents.keys, documents.is_public

local text = project.read "types/chainlink.lua"

-- The lines of annotations that begin with this one.
local function lines_of(first)
  local from = text:find("\n" .. first .. "%f[^%w_.]")
  local list = {}
  for line in text:sub(assert(from, "types/chainlink.lua has no " .. first) + 1):gmatch "([^\n]*)\n" do
    if not line:find "^%-%-%-" or #list > 0 and line:find "^%-%-%-@class" then break end
    list[#list + 1] = line
  end
  return list
end

-- Of a class, or of the module itself.
local function fields(class)
  local names = {}
  for _, line in ipairs(lines_of("%-%-%-@class chainlink" .. (class and "%." .. class or "%f[\n]"))) do
    names[#names + 1] = line:match "^%-%-%-@field ([%w_]+)"
  end
  return names
end

-- What functions of that class the text declares, with its separator.
local function functions(class, separator)
  local names = {}
  for name in text:gmatch("\nfunction " .. class .. separator .. "([%w_]+)%(") do names[#names + 1] = name end
  return names
end

-- The names that the pattern captures between two texts of a source.
local function in_source(path, first, last, pattern)
  local source = project.read(path)
  local _, from = source:find(first, 1, true)
  local names = {}
  for name in source:sub(from, (source:find(last, from, true))):gmatch(pattern) do names[#names + 1] = name end
  return names
end

describe("the types have the options", function()
  it("of a client and of a stream", function()
    same("Options", fields "Options", declared.client_options())
    same("StreamOptions", fields "StreamOptions", declared.stream_options())
    same("Tls", fields "Tls", declared.tls_options())
    same("Breaker", fields "Breaker", declared.breaker_options())
  end)

  it("of a chain", function() same("OnchainOptions", fields "OnchainOptions", declared.onchain_options()) end)

  it("of recordings", function()
    local rows = in_source("lua/chainlink/recording.lua", "local rows = {", "\n}\n", '\n  { "([%w_]+)"')
    same("RecordOptions", fields "RecordOptions", rows)
    rows = in_source("lua/chainlink/replay.lua", "local rows = {", "\n}\n", '\n  { "([%w_]+)"')
    local shared = in_source("lua/chainlink/replay.lua", "local shared = {", "}", '"([%w_]+)"')
    same("ReplayOptions", fields "ReplayOptions", joined(rows, shared))
  end)

  it("of discovery, as the documentation has them", function()
    local filters = in_source("lua/chainlink/discovery.lua", "local filters = {", "}", "([%l_]+) = [%l]+_of")
    same("Filters", fields "Filters", filters)
    local section = documents.section("docs/api.md", "Discovery")
    same("filters in docs/api.md", documents.first_cells(section), filters)
    local members = {}
    for name in section:match "A feed is `{(.-)}`":gmatch "([%l_]+)=" do members[#members + 1] = name end
    same("ListedFeed", fields "ListedFeed", members)
  end)
end)

describe("the types have the functions", function()
  it("of the module", function()
    local names = keys(chainlink, function(_, name) return name == "_VERSION" or name:find "^%l" end)
    same("chainlink", joined(fields(nil), functions("chainlink", "%.")), names)
  end)

  it("of a chain, the schemas and an error", function()
    local chain = chainlink.onchain { rpc_url = "http://127.0.0.1:1", network = "arbitrum" }
    same("Onchain", functions("Onchain", ":"), keys(debug.getmetatable(chain).__index, is_public))
    chain:close()
    same("Schemas", functions("Schemas", ":"), { "register", "load" })
    same("Signers", functions("Signers", "%."), { "from_file" })
    local _, err = pcall(chainlink.client, {})
    same("Error", functions("Error", ":"), keys(debug.getmetatable(err).__index, is_public))
  end)
end)

describe("the types have", function()
  it("each kind of error, and what it carries", function()
    local kinds = {}
    for _, line in ipairs(lines_of "%-%-%-@alias chainlink%.Kind") do
      kinds[#kinds + 1] = line:match '^%-%-%-| "(%w+)"'
    end
    same("Kind", kinds, joined(declared.error_kinds(), { "ChainlinkError" }))
    -- Those that all have, and those that Lua sets.
    local of_lua = { "kind", "message", "retryable", "where", "reason", "code", "config_digest", "got", "index" }
    same("Error", fields "Error", joined(declared.error_fields(), of_lua))
  end)

  it("each state, and what is told with it", function()
    local states = {}
    for _, line in ipairs(lines_of "%-%-%-@class chainlink%.Status") do
      for name in (line:match "^%-%-%-@field state (.*)" or ""):gmatch '"(%l+)"' do states[#states + 1] = name end
    end
    same("states", states, declared.states())
    same("Status", fields "Status", joined(declared.event_fields "status", declared.event_fields "range"))
    same("Response", fields "Response", declared.event_fields "response")
  end)

  it("each statistic", function()
    local sim = simulator.start()
    local folder, remove = project.folder()
    local client = sim:client { ping_interval = 1, ha = true }
    local stream = client:stream { assert(client:get_feeds())[1].id }
    assert(stream:record(folder .. "/recording.jsonl"))
    assert(stream:read(30))
    await("a pong", function() return stream:stats().origins[1].ping_latency end)
    local stats, of_client = stream:stats(), client:stats()
    client:close()
    sim:stop()
    remove()
    same("ClientStats", fields "ClientStats", keys(of_client))
    same("StreamStats", fields "StreamStats", keys(stats))
    same("Latency", fields "Latency", keys(stats.latency))
    same("OriginStats", fields "OriginStats", keys(stats.origins[1]))
    same("RecordingStats", fields "RecordingStats", keys(stats.recording))
  end)

  it("the form of an add-on of LuaLS", function()
    local config = cjson.decode(project.read "types/config.json")
    assert.equal("chainlink-streams", config.name)
    local programs = { 'local chainlink = require "chainlink"', "require('chainlink.openresty').get 'prices'" }
    for _, program in ipairs(programs) do
      local found
      for _, word in ipairs(config.words) do found = found or program:find(word) end
      assert.truthy(found, program)
    end
    assert.is_nil(('require "chainlinks"'):find(config.words[1]))
  end)
end)
