-- SPDX-License-Identifier: MIT
-- The documentation names all that the code has for its users, and nothing that the code has not.
local await = require "spec.support.await"
local chainlink = require "chainlink"
local config = require "chainlink.config"
local declared = require "spec.support.declared"
local documents = require "spec.support.documents"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local same, section, quoted, first_cells = documents.same, documents.section, documents.quoted, documents.first_cells
local joined, keys, is_public = documents.joined, documents.keys, documents.is_public

local id = "0x0003" .. ("ab"):rep(30)
local credentials = { api_key = "key", api_secret = "secret", rest_url = "https://127.0.0.1:1",
  ws_url = "wss://127.0.0.1:1" }

-- What follows the prefix in the text, each once: "client:" finds the methods that it names.
local function named(text, prefix)
  local list, seen = {}, { lua = true, openresty = true, core = true } -- types/chainlink.lua, and modules of their own
  for name in text:gmatch("%f[%w_]" .. prefix .. "([%a_][%w_]*)") do
    if not seen[name] then list[#list + 1] = name end
    seen[name] = true
  end
  return list
end

local everything = {}
for _, path in ipairs(documents.paths()) do
  if path ~= "CHANGELOG.md" then everything[#everything + 1] = project.read(path) end
end
everything = table.concat(everything, "\n"):gsub("%-%-%-@[^\n]*", "") -- annotations name classes

describe("the documentation of functions", function()
  local client, stream
  setup(function()
    client = chainlink.client(credentials)
    stream = client:stream { id }
  end)
  teardown(function() client:close() end)

  -- A table names each, and no page names another.
  local function check(what, page, prefix, names)
    assert.is_true(#names > 2, "only " .. #names .. " names")
    local table_of = table.concat(first_cells(project.read(page)), "\n")
    same(what .. " in " .. page, named(table_of, prefix), names)
    same(what .. " anywhere", named(everything, prefix), names)
  end

  it("has those of the module", function()
    local names = keys(chainlink, function(value, name)
      return (name == "_VERSION" or name:find "^%l") and value ~= nil
    end)
    check("the module", "docs/api.md", "chainlink%.", names)
  end)

  it("has those of a client", function()
    check("a client", "docs/api.md", "client:", keys(debug.getmetatable(client).__index, is_public))
  end)

  it("has those of a stream", function()
    check("a stream", "docs/streams.md", "stream:", keys(debug.getmetatable(stream).__index, is_public))
  end)

  it("has those of a report, a registry of signers and a chain, as the types have", function()
    local report = chainlink.decode(require "spec.support.sample".v3)
    local of_report = keys(require "chainlink.core".report_methods, function(_, name)
      return type(report[name]) == "function"
    end)
    check("a report", "docs/reports.md", "report:", of_report)
    local of_registry = keys(debug.getmetatable(chainlink.signers()).__index, is_public)
    check("a registry", "docs/verification.md", "registry:", of_registry)
    local chain = chainlink.onchain { rpc_url = "http://127.0.0.1:1", network = "arbitrum" }
    check("a chain", "docs/onchain.md", "chain:", keys(debug.getmetatable(chain).__index, is_public))
    chain:close()
    local types = project.read "types/chainlink.lua"
    same("Report in the types", named(types, "function Report:"), of_report)
    same("SignerRegistry in the types", named(types, "function SignerRegistry:"), of_registry)
    same("Client in the types", named(types, "function Client:"), keys(debug.getmetatable(client).__index, is_public))
    same("Stream in the types", named(types, "function Stream:"), keys(debug.getmetatable(stream).__index, is_public))
  end)
end)

describe("the documentation of options", function()
  local function rows() return documents.rows(section("README.md", "Configuration")) end

  local function row_of(name)
    for _, row in ipairs(rows()) do
      if row[1]:find("`" .. name .. "`", 1, true) then return row end
    end
    error("no row of " .. name)
  end

  it("has a client's, the members of tls and circuit_breaker too", function()
    same("a client's options", first_cells(section("README.md", "Configuration")), declared.client_options())
    same("tls", quoted(row_of "tls"[3]), declared.tls_options())
    local members = {}
    for name in row_of "circuit_breaker"[2]:gmatch "([%w_]+)=" do members[#members + 1] = name end
    same("circuit_breaker", members, declared.breaker_options())
  end)

  it("has none that a client refuses to know", function()
    for _, name in ipairs(first_cells(section("README.md", "Configuration"))) do
      local options = {}
      for key, value in pairs(credentials) do options[key] = value end
      options[name] = coroutine.create(function() end) -- no option takes a coroutine
      local ok, err = pcall(chainlink.client, options)
      assert.is_false(ok, name)
      assert.truthy(err.message:find("option '" .. name .. "' must be", 1, true), tostring(err))
    end
  end)

  it("has their defaults", function()
    local _, values = config.client { api_key = "key", api_secret = "secret" }
    local words = { none = "nil", required = "nil", ["from the environment"] = "nil", ["verification on"] = "nil",
      ["the network's"] = "nil", ["{failures=5, cooldown=10}"] = "nil", ["math.huge"] = tostring(math.huge) }
    for _, row in ipairs(rows()) do
      local names = quoted(row[1])
      local defaults = {}
      local cells = row[2]:find "^`{" and row[2] or row[2]:gsub(", ", "\n")
      for cell in cells:gmatch "[^\n]+" do
        local text = cell:gsub("[`\"]", "")
        defaults[#defaults + 1] = words[text] or text
      end
      for i, name in ipairs(names) do
        local value = values[name]
        if type(value) == "number" and value ~= math.huge then value = ("%.15g"):format(value) end
        assert.equal(defaults[i] or defaults[1], tostring(value), name)
      end
    end
  end)

  it("has those that a stream may have of its own", function()
    local paragraph = project.read "docs/streams.md":match "`options` may(.-)\n\n"
    same("a stream's options", quoted(paragraph, "^([%l_]+)"), declared.stream_options())
  end)

  it("has those of a chain", function()
    local text = section("docs/onchain.md", "Options")
    local names = joined(first_cells(text), quoted(text:match "\n\nand (.*)$"))
    same("a chain's options", names, declared.onchain_options())
  end)

  it("has the environment's variables", function()
    local names = {}
    for name in everything:gmatch "CHAINLINK_STREAMS_[%u_]+" do names[#names + 1] = name end
    same("variables", names, declared.variables())
  end)
end)

describe("the documentation of what a program is told", function()
  it("has each statistic", function()
    local sim = simulator.start()
    local client = sim:client { ping_interval = 1, ha = true }
    local stream = client:stream { assert(client:get_feeds())[1].id }
    assert(stream:read(30))
    await("a pong", function() return stream:stats().origins[1].ping_latency end)
    local stats, of_client = stream:stats(), client:stats()
    client:close()
    sim:stop()
    same("of a stream", first_cells(section("docs/streams.md", "Of a stream")), keys(stats))
    same("of its latency", quoted(section("docs/streams.md", "Of a stream"):match "\n| `latency` |([^\n]*)"),
      keys(stats.latency))
    same("of a connection", first_cells(section("docs/streams.md", "Of each connection")), keys(stats.origins[1]))
    local row = project.read "docs/api.md":match "\n| `client:stats%(%)` |([^\n]*)"
    same("of a client", quoted(row, "^([%l_]+)$"), keys(of_client))
  end)

  it("has each state, and what is told with it", function()
    local text = section("docs/streams.md", "What on_status tells")
    same("states", first_cells(text, '^"(%l+)"$'), declared.states())
    local fields = quoted(text:match "^(.-)\n|", "^([%l_]+)$")
    local told = joined({ "nil" }, declared.event_fields "status", declared.event_fields "range")
    same("fields of on_status", fields, told)
    local row = project.read "README.md":match "\n| `on_response` |[^|]*| `function%(response%)`: ([^\n]*)"
    same("fields of on_response", quoted(row), declared.event_fields "response")
  end)

  it("has each kind of error, and what it carries", function()
    local page = project.read "docs/errors.md"
    same("kinds", first_cells(page), declared.error_kinds())
    local fields = {}
    for _, row in ipairs(documents.rows(page)) do fields[#fields + 1] = row[3] end
    same("fields", quoted(table.concat(fields, "\n"), "^([%l_]+)$"), joined(declared.error_fields(), { "reason" }))
    for _, name in ipairs(first_cells(section("README.md", "Errors"))) do
      assert.truthy(page:find("\n| `" .. name .. "` |", 1, true), "README.md names " .. name)
    end
  end)

  it("has each reason why a report does not verify", function()
    local listed = first_cells(section("docs/verification.md", "Reasons"))
    same("reasons", listed, joined(declared.reasons(), { "OutOfMemory" }))
  end)
end)

describe("the documentation of the command line", function()
  local page = project.read "docs/command-line.md"

  it("has each command", function()
    same("commands", first_cells(page:match "^(.-)\n## ", "^(%l+)"), declared.commands())
  end)

  it("has each option of each command", function()
    local all = {}
    for _, command in ipairs(declared.commands()) do
      local options = declared.command_options(command)
      all = joined(all, options)
      for _, path in ipairs(documents.paths()) do
        for _, block in ipairs(documents.blocks(path, "sh")) do
          for words in block.text:gmatch("chainlink%-streams " .. command .. "%f[^%l]([^|\n]*)") do
            for option in words:gmatch "%-%-([%l-]+)" do
              assert.truthy((" " .. table.concat(options, " ") .. " "):find(" " .. option .. " ", 1, true),
                ("%s:%d: %s has no option --%s"):format(path, block.line, command, option))
            end
          end
        end
      end
    end
    local named_options = {}
    for _, text in ipairs { page, project.read "docs/simulator.md" } do
      text = text:gsub("\n```.-\n```", "")
      for option in text:gmatch "%-%-(%l[%l-]*)" do named_options[#named_options + 1] = option end
    end
    same("options", named_options, all)
  end)

  it("has each option of the simulator", function()
    local listed = first_cells(project.read "docs/simulator.md":match "^(.-)\n## ", "^%-%-([%l-]+)")
    same("options of simulate", joined(listed, { "help" }), declared.command_options "simulate")
  end)

  it("has the exit codes", function()
    local codes = declared.exit_codes()
    local cells = {}
    for i, row in ipairs(documents.rows(section("docs/command-line.md", "Exit codes"))) do cells[i] = row[1] end
    same("exit codes", cells, codes)
    local words = section("README.md", "Command line"):match "Exit codes: (.-)%."
    local listed = {}
    for code in words:gmatch "(%d+)%s%l" do listed[#listed + 1] = code end
    same("exit codes in README.md", listed, codes)
  end)
end)

describe("the documentation of the simulator", function()
  local faults_text = section("docs/simulator.md", "Faults")

  it("has each fault, where it can happen and its kinds", function()
    local faults, names = declared.faults()
    local listed = {}
    for _, row in ipairs(documents.rows(faults_text)) do
      if #row == 3 then
        local where = {}
        for place in row[2]:gmatch "%l+" do where[#where + 1] = place end
        for _, name in ipairs(quoted(row[1])) do
          listed[#listed + 1] = name
          if faults[name] then same("where " .. name .. " happens", where, faults[name].where) end
        end
      end
    end
    same("faults", listed, names)
  end)

  it("has each kind of a fault", function()
    for name, fault in pairs((declared.faults())) do
      if #fault.kinds > 0 then
        local row = faults_text:match("\n| `" .. name .. "` |[^|]*|([^\n]*)")
        for _, kind in ipairs(fault.kinds) do
          assert.truthy(row:find("%f[%w_]" .. kind .. "%f[^%w_]"), ("%s lacks kind=%s"):format(name, kind))
        end
      end
    end
  end)

  it("has each key of the fault language", function()
    local listed = {}
    for key in faults_text:gmatch "%f[%w_]([%l_]+)=" do listed[#listed + 1] = key end
    local others = { "key", "how", "what", "offset" } -- key=value as such, and what control paths take
    same("keys", listed, joined(declared.fault_keys(), others))
  end)

  it("has each path of its control", function()
    local listed = {}
    for _, row in ipairs(documents.rows(faults_text)) do
      local method, path, also = row[1]:match "^`(%u+) (/control/%l+)`(.*)$"
      local both, first, second = row[1]:match "^`(%u+) (/control/%l+)`?, `?(%l+)`$"
      if both then
        listed = joined(listed, { both .. " " .. first, both .. " /control/" .. second })
      elseif method and also == "" then
        listed[#listed + 1] = method .. " " .. path
      end
    end
    same("paths", listed, declared.control_paths())
  end)
end)

-- Those of SECURITY.md are in limits_spec.lua.
describe("the documentation of limits", function()
  local units = { KiB = 2 ^ 10, MiB = 2 ^ 20 }

  local function value_of(text)
    local number, unit = text:match "^(%d+) ?(%a*)"
    return tonumber(number) * (units[unit] or 1)
  end

  it("gives the values that the code has", function()
    local cited = {
      { "docs/streams.md", "A report%s+from more than (%d+ seconds) ahead", "CDS_MAX_FUTURE_SECONDS" },
      { "docs/streams.md", "More than%s+(%d+) connections", "CDS_MAX_CONNECTIONS" },
      { "docs/streams.md", "more than (%d+) raise", "CDS_MAX_CONNECTIONS" },
      { "README.md", "at most (%d+) in all", "CDS_MAX_CONNECTIONS" },
      { "docs/internals.md", "(%d+ MiB) a message", "CDS_MAX_MESSAGE_BYTES" },
      { "docs/internals.md", "(%d+ MiB) an answer", "CDS_MAX_ANSWER_BYTES" },
      { "docs/internals.md", "(%d+ KiB) of headers", "CDS_MAX_HEADER_BYTES" },
      { "docs/simulator.md", "a message over (%d+ MiB)", "CDS_MAX_MESSAGE_BYTES" },
    }
    for _, case in ipairs(cited) do
      local text = project.read(case[1]):match(case[2])
      assert.equal(declared.constant(case[3]), value_of(assert(text, case[1] .. " does not say " .. case[2])), case[2])
    end
  end)
end)

describe("the documentation", function()
  it("names in the map only files that are there", function()
    local function exists(path)
      local file = io.open(path, "rb")
      if file then file:close() end
      return file ~= nil
    end
    local count = 0
    for path in project.read("src/README.md"):gmatch "%f[^%s`(][%w_/]+/[%w_]+%.[%a]+%f[^%w]" do
      count = count + 1
      assert.truthy(exists("src/" .. path) or exists(path), "src/README.md names " .. path .. ", which is not there")
    end
    assert.is_true(count > 40, "only " .. count .. " paths")
  end)

  it("and the types have fresh tables of schemas", function()
    local output, status = project.run(project.lua .. " scripts/schema-table --check")
    assert.equal(0, status, output)
  end)

  it("leads from the README to the index, and from there to each page", function()
    for path in project.run "ls docs/README.md SECURITY.md CHANGELOG.md CONTRIBUTING.md":gmatch "[^\n]+" do
      assert.truthy(section("README.md", "Read on"):find("](" .. path .. ")", 1, true), "README.md leaves out " .. path)
    end
    local index = project.read "docs/README.md"
    for path in project.run "cd docs && ls *.md ../SECURITY.md ../CHANGELOG.md ../CONTRIBUTING.md":gmatch "[^\n]+" do
      local row = ("\n| [%s](%s) | "):format(path:match "[^/]*$", path)
      assert.truthy(path == "README.md" or index:find(row, 1, true), "docs/README.md leaves out " .. path)
    end
  end)
end)

describe("the command line's documentation", function()
  local page, simulator_page = project.read "docs/command-line.md", project.read "docs/simulator.md"

  local function help_of(command)
    local output, status = project.run(("%s bin/chainlink-streams %s --help"):format(project.lua, command))
    assert.equal(0, status, output)
    return output
  end

  it("has every command and option, and no other", function()
    local commands = {}
    for command in help_of "":gmatch "\n  (%l+) " do
      commands[command] = true
      assert.truthy(page:find("\n| `" .. command .. "%f[^%w]"), command)
      local text = command == "simulate" and simulator_page or page
      for option in help_of(command):gmatch "\n  %-%-([%l-]+)" do
        local pattern = "%-%-" .. option:gsub("-", "%%-") .. "%f[^%w-]"
        assert.truthy(option == "help" or text:find(pattern), command .. " --" .. option)
      end
    end
    for command in page:match "^(.-)\n## ":gmatch "\n| `(%l+)" do assert.is_true(commands[command], command) end
  end)

  it("tells the exit codes that the help tells", function()
    local told = {}
    for code in help_of "":match "exit codes:.*$":gmatch "%d+" do told[#told + 1] = code end
    local documented = {}
    for code in page:match "\n## Exit codes\n(.*)$":gmatch "\n| (%d+) |" do documented[#documented + 1] = code end
    assert.same({ "0", "1", "2", "3", "4", "130" }, documented)
    assert.same(documented, told)
    local readme = project.read "README.md":match "\nExit codes: (.-)\n\n"
    for _, code in ipairs(documented) do assert.truthy(readme:find("%f[%d]" .. code .. "%f[%D]"), code) end
  end)
end)
