-- SPDX-License-Identifier: MIT
-- The documentation knows every public name, and says nothing of the code that is not so.
local project = require "spec.support.project"
local chainlink = require "chainlink"

local id = "0x0003" .. ("ab"):rep(30)
local credentials = { api_key = "key", api_secret = "secret", rest_url = "https://127.0.0.1:1",
  ws_url = "wss://127.0.0.1:1" }

-- The names of a class: what its methods table has.
local function methods_of(object)
  local found = {}
  for name, value in pairs(debug.getmetatable(object).__index) do
    if type(value) == "function" and not name:find "^_" then found[#found + 1] = name end
  end
  table.sort(found)
  return found
end

-- A report's methods are not in its __index, which is a function.
local function methods_of_report(report)
  local found = {}
  for name in pairs(require "chainlink.core".report_methods) do
    if type(report[name]) == "function" then found[#found + 1] = name end
  end
  return found
end

local function assert_documented(path, prefix, names)
  local text = project.read(path)
  assert.is_true(#names > 3, "only " .. #names .. " names")
  for _, name in ipairs(names) do
    assert.truthy(text:find(prefix .. name .. "%f[^%w_]"), path .. " does not mention " .. prefix .. name)
  end
end

describe("the documentation", function()
  it("mentions every function of the module", function()
    local names = {}
    for name, value in pairs(chainlink) do
      if type(value) == "function" then names[#names + 1] = name end
    end
    assert_documented("docs/api.md", "chainlink%.", names)
  end)

  it("mentions every method of a client", function()
    local client = chainlink.client(credentials)
    assert_documented("docs/api.md", "client:", methods_of(client))
    client:close()
  end)

  it("mentions every method of a stream", function()
    local client = chainlink.client(credentials)
    local stream = client:stream { id }
    assert_documented("docs/streams.md", "stream:", methods_of(stream))
    client:close()
  end)

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

  it("and the types mention every method of a report and of a signer registry", function()
    local v3 = chainlink.decode(require "spec.support.sample".v3)
    local pages = { ["docs/reports.md"] = "report:", ["docs/verification.md"] = "registry:" }
    local objects = { ["docs/reports.md"] = methods_of_report(v3),
      ["docs/verification.md"] = methods_of(chainlink.signers()) }
    for path, prefix in pairs(pages) do assert_documented(path, prefix, objects[path]) end
    assert_documented("types/chainlink.lua", "function Report:", objects["docs/reports.md"])
    assert_documented("types/chainlink.lua", "function SignerRegistry:", objects["docs/verification.md"])
  end)

  it("tells every reason why a report does not verify", function()
    local text, count = project.read "docs/verification.md", 0
    for reason in project.read "src/crypto/reasons.def":gmatch 'CDS_REASON%([%w_]+, "(%w+)"' do
      assert.truthy(text:find("\n| `" .. reason .. "` |", 1, true), reason .. " is missing")
      count = count + 1
    end
    assert.is_true(count >= 7)
  end)

  it("knows every kind of error", function()
    local text = project.read "docs/errors.md"
    for kind in project.read "src/base/errors.def":gmatch 'CDS_ERROR%([%w_]+, "(%w+)"' do
      assert.truthy(text:find("\n| `" .. kind .. "` |", 1, true), kind .. " is missing")
    end
  end)

  it("lists no option that a client refuses to know, and its links lead somewhere", function()
    local readme = project.read "README.md"
    local section = readme:match "\n## Configuration\n(.-)\n## "
    local count = 0
    for cell in section:gmatch "\n| (`[^|]+) |" do
      for name in cell:gmatch "`([%w_]+)`" do
        local options = {}
        for key, value in pairs(credentials) do options[key] = value end
        options[name] = coroutine.create(print) -- no option takes a coroutine
        local ok, err = pcall(chainlink.client, options)
        assert.is_false(ok, name)
        assert.truthy(err.message:find("option '" .. name .. "' must be", 1, true), tostring(err))
        count = count + 1
      end
    end
    assert.is_true(count >= 20, "only " .. count .. " options")
    for target in readme:gmatch "%]%(([%w_/.-]+)" do
      local _, status = project.run("test -e " .. target)
      assert.equal(0, status, target)
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
