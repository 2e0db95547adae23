-- SPDX-License-Identifier: MIT
-- scripts/setup, for somebody who may not install anything.
local project = require "spec.support.project"

local function succeeds(command) return select(2, project.run(command)) == 0 end
local is_root = project.run "id -u" == "0\n"

-- As nobody where this is root; without the libraries' descriptions, so that they are missing.
local function as_nobody(command)
  local folder, remove = project.folder()
  project.run(("cp -R Makefile scripts %s && chmod -R a+rX %s"):format(folder, folder))
  local user = is_root and "setpriv --reuid=65534 --regid=65534 --clear-groups" or ""
  local alone = "env -u MAKEFLAGS -u MAKELEVEL PKG_CONFIG_LIBDIR=/nonexistent"
  local output, status = project.run(("cd %s && %s %s %s </dev/null"):format(folder, alone, user, command))
  remove()
  return output, status
end

describe("scripts/setup without root", function()
  it("tells what line root is to run, and make demo goes no further", function()
    if not succeeds "command -v apt-get" then pending "apt-get is not here" end
    if is_root and not succeeds "setpriv --reuid=65534 --clear-groups true" then pending "root may not be another" end
    if not is_root and succeeds "sudo -n true" then pending "sudo asks for no password" end
    local output, status = as_nobody "make -s demo"
    assert.is_true(status ~= 0)
    local line = output:match "As root, run\n  ([^\n]*)\n"
    assert.truthy(line, output)
    assert.matches("apt%-get install %-%-no%-install%-recommends ", line)
    for _, package in ipairs { "libcurl4-openssl-dev", "libwebsockets-dev", "libssl-dev", "libsecp256k1-dev" } do
      assert.truthy((line .. " "):find(" " .. package .. " ", 1, true), line)
    end
    assert.truthy(output:find("\n  - libwebsockets 4.1 or later (not 4.5.0)\n", 1, true), output)
    assert.is_nil(output:find("Installing", 1, true))
  end)

  it("needs no root where nothing is missing", function()
    local output, status = project.run "scripts/setup --check demo"
    assert.equal("", output)
    assert.equal(0, status)
  end)

  it("refuses a Lua that is not supported", function()
    local output, status = project.run "LUA=5.2 scripts/setup --check demo"
    assert.equal(2, status)
    assert.equal("LUA=5.2 is not supported: it may be 5.5, 5.4, 5.3, 5.1 or luajit\n", output)
  end)
end)

-- What comes with neither root nor a package: how, and what that wants.
local fetched = {
  { script = "lua55", name = "Lua 5.5", way = "comes by cargo",
    missing = "Lua 5%.5 is missing, and only cargo gets its sources: https://rustup.rs ",
    hint = "Lua 5%.5 is missing, and scripts/setup ci builds it\n$" },
  { script = "duckdb", name = "DuckDB", way = "comes by pip",
    missing = "DuckDB [%d.]+ is missing, and only pip gets it: python3 with venv is wanted\n$",
    hint = "DuckDB [%d.]+ is missing: scripts/setup ci gets it\n$" },
  { script = "emmylua", name = "the checker of types", way = "comes by cargo",
    missing = "emmylua_check [%d.]+ is missing, and only cargo builds it: https://rustup.rs ",
    hint = "emmylua_check [%d.]+ is missing: scripts/setup ci builds it\n$" },
}

for _, one in ipairs(fetched) do
  describe(one.name, function()
    it(one.way .. ", and where that is not, the words say how to get it", function()
      local alone = "env -i PATH=/nonexistent HOME=/nonexistent scripts/" .. one.script
      for arguments, words in pairs { [" --install"] = one.missing, [""] = one.hint } do
        local output, status = project.run(alone .. arguments)
        assert.equal(1, status)
        assert.matches("^" .. words, output)
      end
    end)
  end)
end
