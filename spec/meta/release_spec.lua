-- SPDX-License-Identifier: MIT
-- What makes a release, in a clone of this checkout: the archive, what is missing, what it consists of.
local cjson = require "cjson"
local project = require "spec.support.project"

local version = require "chainlink"._VERSION
local is_checkout = select(2, project.run "test -e .git && git rev-parse HEAD") == 0

describe("a release", function()
  local folder, remove
  setup(function()
    folder, remove = project.folder()
    if is_checkout then
      local output, status = project.run("git clone -q --no-hardlinks . " .. folder .. "/clone")
      assert.equal(0, status, output)
    end
  end)
  teardown(function() remove() end)

  local function there(command)
    return project.run(("cd %s/clone && %s"):format(folder, command))
  end

  -- As git needs somebody to commit as.
  local git = "git -c user.name=nobody -c user.email=nobody@localhost "
  local define = is_checkout and it or pending

  it("has its version by scripts/version", function()
    assert.equal(version .. "\n", (project.run "scripts/version"))
  end)

  define("is an archive of what git has, the same bytes each time", function()
    local first, status = there "scripts/dist"
    assert.equal(0, status, first)
    assert.matches("^%x+  chainlink%-streams%-" .. version:gsub("%.", "%%.") .. "%.tar%.gz\n$", first)
    -- Later, by somebody with other habits, and from files with other times.
    there "find . -path ./.git -prune -o -type f -exec touch -d 2001-01-01 {} +"
    assert.equal(first, (there "umask 077; TZ=Asia/Tokyo scripts/dist"))
    local listed = there "tar -tzf build/dist/*.tar.gz | grep -v '/$' | sed 's|^[^/]*/||' | LC_ALL=C sort"
    assert.equal((there "git ls-files | LC_ALL=C sort"), listed)
    local _, checked = there "cd build/dist && sha256sum -c *.sha256"
    assert.equal(0, checked)
  end)

  -- What is missing, by the first words.
  local function missing()
    local output, status = there "scripts/release-check"
    local list = {}
    for what in output:gmatch "\nmissing: (%S+ %S+ %S+)" do list[#list + 1] = what end
    assert.equal(#list == 0 and 0 or 1, status, output)
    return table.concat(list, "; ")
  end

  define("tells what is missing, and when nothing is", function()
    local before = missing()
    assert.truthy(before:find("a tag v" .. version, 1, true), before)
    -- The changelog as it is on the day.
    local path = folder .. "/clone/CHANGELOG.md"
    local text = project.read(path)
    if text:find("This is to be " .. version, 1, true) then
      local head = ("## [Unreleased]\n\n## [%s] - 2026-01-01\n"):format(version)
      text = text:gsub("## %[Unreleased%]\n\n[^\n]*\n", head, 1)
      project.write(path, text)
    end
    assert.equal("a work tree; a tag v" .. version .. "; a signature on", missing())
    there(git .. "commit -q -a -m Release")
    there(git .. "tag -a -m Release v" .. version)
    assert.equal("a signature on", missing())
    project.write(path, (text:gsub("\nCompatibility: [^\n]*\n", "\n")))
    assert.matches('^a line "Compatibility:', missing())
    there "git checkout -q ."
    if select(2, project.run "command -v ssh-keygen") ~= 0 then return end
    there "ssh-keygen -q -t ed25519 -N '' -f ../key"
    local signed = "-c gpg.format=ssh -c user.signingkey=../key.pub tag -f -s -m Release v"
    local output, status = there(git .. signed .. version)
    assert.equal(0, status, output)
    assert.equal("", missing())
  end)

  it("has a list of what it consists of", function()
    local output, status = project.run(project.lua .. " scripts/sbom")
    assert.equal(0, status, output)
    local list = cjson.decode(output)
    assert.same({ "CycloneDX", version }, { list.bomFormat, list.metadata.component.version })
    local names = {}
    for i, component in ipairs(list.components) do
      names[i] = component.name
      assert.equal(component.name, list.dependencies[1].dependsOn[i])
      -- What the build was made with is here.
      assert.is_truthy(component.version or component.name ~= "openssl" and component.name ~= "libwebsockets")
    end
    for name in project.read "Makefile":match "\nMODULES := ([^\n]*)":gmatch "%S+" do
      assert.truthy((" " .. table.concat(names, " ") .. " "):find(" " .. name .. " ", 1, true), name)
    end
  end)
end)

describe("Debian's packages", function()
  local control = project.read "packaging/debian/control"

  it("are built for each Lua that they hold", function()
    local luas = project.read "packaging/debian/rules":match "\nLUAS := ([^\n]*)"
    for lua in luas:gmatch "%S+" do
      assert.truthy(control:find("liblua" .. lua, 1, true), lua)
      assert.truthy(project.read "packaging/debian/lua-chainlink-streams.install":find("build/" .. lua .. "/", 1, true))
    end
    assert.equal("5.1 5.3 5.4", luas)
  end)

  it("name what is loaded and not linked", function()
    local depends = control:match "\nDepends: ([^\n]*)"
    for _, package in ipairs { "lua-cjson", "libcurl4" } do assert.truthy(depends:find(package, 1, true), package) end
    local recommends = control:match "\nRecommends: ([^\n]*)"
    for _, package in ipairs { "libsnappy1v5", "zlib1g" } do
      assert.truthy(recommends:find(package, 1, true), package)
    end
  end)
end)
