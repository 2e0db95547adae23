-- SPDX-License-Identifier: MIT
-- `make install` and `make uninstall`, into a folder of its own.
local project = require "spec.support.project"

local version = rawget(_G, "jit") and "luajit" or _VERSION:match "%d%.%d"
local abi = _VERSION:match "%d%.%d"

-- Another make may run this spec: what it was told is not for this one.
local function make(target, settings)
  return project.run(("env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory %s LUA=%s %s")
    :format(target, version, settings))
end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
  table.sort(list)
  return list
end

local function files_in(folder, what)
  return lines((project.run(("cd '%s' && find . %s -printf '%%P\\n'"):format(folder, what or "-type f"))))
end

local function manual_files()
  local list = { "share/man/man1/chainlink-streams.1", "share/zsh/site-functions/_chainlink-streams",
    "share/bash-completion/completions/chainlink-streams.bash",
    "share/fish/vendor_completions.d/chainlink-streams.fish" }
  for _, name in ipairs(require "chainlink.cli.table".names()) do
    list[#list + 1] = ("share/man/man1/chainlink-streams-%s.1"):format(name)
  end
  return list
end

-- Built where their libraries are.
local relay_modules = {}
for _, name in ipairs { "redis", "kafka" } do
  if pcall(require, "chainlink." .. name) then relay_modules[#relay_modules + 1] = name .. ".so" end
end

local function expected_files()
  local doc = "share/doc/chainlink-streams/"
  local list = { "bin/chainlink-streams", "share/chainlink-streams/installed-" .. abi,
    "share/chainlink-streams/types/config.json",
    "lib/lua/" .. abi .. "/chainlink/core.so",
    "lib/lua/" .. abi .. "/chainlink/simulator.so" }
  for _, name in ipairs(relay_modules) do list[#list + 1] = "lib/lua/" .. abi .. "/chainlink/" .. name end
  local documents = "README.md CHANGELOG.md SECURITY.md LICENSE docs/*.md docs/*.svg examples/*.* examples/embed/* " ..
    "examples/tutorials/*"
  for line in project.run("ls " .. documents):gmatch "[^\n]+" do
    list[#list + 1] = doc .. line
  end
  for name in project.run "cd types && ls *.lua":gmatch "[^\n]+" do
    list[#list + 1] = "share/chainlink-streams/types/library/" .. name
  end
  for line in project.run "find lua -type f":gmatch "lua/([^\n]+)" do
    list[#list + 1] = "share/lua/" .. abi .. "/" .. line
  end
  for _, path in ipairs(manual_files()) do list[#list + 1] = path end
  table.sort(list)
  return list
end

describe("make install", function()
  local folder, remove
  before_each(function() folder, remove = project.folder() end)
  after_each(function() remove() end)

  local function run_alone(words)
    return project.run(("cd / && env -i HOME=%s PATH=/usr/bin:/bin %s"):format(folder, words))
  end

  it("installs a command that finds its modules, and all that is to be read; uninstall leaves nothing", function()
    local prefix = folder .. "/it's a \"home\""
    local shell_prefix = "'" .. prefix:gsub("'", "'\\''") .. "'"
    local output, status = make("install", "PREFIX=" .. shell_prefix)
    assert.equal(0, status, output)
    assert.truthy(output:find("export LUA_PATH=", 1, true), output)
    local found = lines((project.run(("cd %s && find . -type f -printf '%%P\\n'"):format(shell_prefix))))
    assert.same(expected_files(), found)
    local command = shell_prefix .. "/bin/chainlink-streams"
    output, status = run_alone(command .. " version")
    assert.equal("chainlink-streams " .. require "chainlink"._VERSION .. "\n", output)
    assert.equal(0, status)
    -- The simulator's module too.
    project.write(folder .. "/try", ([[
      %s simulate --exit-with-parent --env-file %s/env >/dev/null &
      for try in $(seq 200); do [ -e %s/env ] || sleep 0.1; done
      . %s/env
      %s latest ETH/USD --format json
      status=$?
      kill $CHAINLINK_SIMULATOR_PID
      wait
      exit $status]]):format(command, folder, folder, folder, command))
    output, status = run_alone(("timeout 60 sh %s/try"):format(folder))
    project.run(("rm %s/try %s/env"):format(folder, folder))
    assert.equal(0, status, output)
    assert.matches('"full_report":"0x', output)
    output, status = make("uninstall", "PREFIX=" .. shell_prefix)
    assert.equal(0, status, output)
    assert.same({}, files_in(folder, "-mindepth 1"))
  end)

  it("says nothing of paths where Lua looks by itself, and has not failed", function()
    local output, status = make("install", ("PREFIX=%s LUA_PATH='%s/share/lua/%s/?.lua;;'"):format(folder, folder, abi))
    assert.matches("Installed below " .. folder:gsub("%p", "%%%0") .. ": [^\n]+\n$", output)
    assert.equal(0, status, output)
  end)

  it("keeps DESTDIR out of what it installs", function()
    local output, status = make("install", "PREFIX=/opt/streams DESTDIR=" .. folder)
    assert.equal(0, status, output)
    local expected = {}
    for i, path in ipairs(expected_files()) do expected[i] = "opt/streams/" .. path end
    assert.same(expected, files_in(folder))
    output, status = project.run(("grep -rlIF '%s' %s"):format(folder, folder))
    assert.equal(1, status, "these name it:\n" .. output)
    assert.truthy(project.read(folder .. "/opt/streams/bin/chainlink-streams"):find('"/opt/streams"', 1, true))
    output, status = make("uninstall", "PREFIX=/opt/streams DESTDIR=" .. folder)
    assert.equal(0, status, output)
    assert.same({}, files_in(folder, "-mindepth 1"))
  end)

  it("leaves what is somebody else's, and takes away what only the install before had", function()
    local modules = folder .. "/share/lua/" .. abi .. "/chainlink/"
    local list = folder .. "/share/chainlink-streams/installed-" .. abi
    assert.equal(0, select(2, make("install", "PREFIX=" .. folder)))
    project.write(modules .. "gone.lua", "return 1\n")
    project.write(list, project.read(list) .. modules .. "gone.lua\n")
    project.write(modules .. "mine.lua", "return 2\n")
    assert.equal(0, select(2, make("install", "PREFIX=" .. folder)))
    assert.is_nil((io.open(modules .. "gone.lua")))
    assert.equal(0, select(2, make("uninstall", "PREFIX=" .. folder)))
    assert.same({ "share/lua/" .. abi .. "/chainlink/mine.lua" }, files_in(folder))
  end)

  it("says when there is nothing to uninstall", function()
    local output, status = make("uninstall", "PREFIX=" .. folder)
    assert.is_true(status ~= 0)
    assert.truthy(output:find("Nothing is installed below " .. folder, 1, true), output)
  end)

  it("keeps installs for two Luas apart: they share the documentation, and the later one has the command", function()
    local out, remove_out = project.folder()
    project.run(("cd %s && mkdir chainlink && cd chainlink && touch core.so simulator.so %s"):format(out,
      table.concat(relay_modules, " ")))
    local function other(what)
      local output, status = project.run(("PREFIX=%s DESTDIR= LUA_ABI=5.9 LUA_BIN=%s OUT=%s GENERATED=build/manual "
        .. "scripts/install %s")
        :format(folder, project.lua, out, what))
      assert.equal(0, status, output)
    end
    assert.equal(0, select(2, make("install", "PREFIX=" .. folder)))
    other "install"
    other "uninstall"
    local rest = expected_files()
    table.remove(rest, 1)
    assert.same(rest, files_in(folder))
    other "install"
    assert.equal(0, select(2, make("uninstall", "PREFIX=" .. folder)))
    assert.equal(#rest + 1, #files_in(folder))
    other "uninstall"
    assert.same({}, files_in(folder, "-mindepth 1"))
    remove_out()
  end)
end)
