-- SPDX-License-Identifier: MIT
-- The file of profiles: what it may say, who may read it, and what a client takes of it.

local chainlink = require "chainlink"
local profiles = require "chainlink.profiles"
local project = require "spec.support.project"

local function message_of(f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.are.equal("ConfigError", err.kind, tostring(err))
  return err.message
end

describe("a text of profiles", function()
  it("has settings under names, with comments and blank lines", function()
    assert.are.same({
      { name = "work", api_key = "k=1", api_secret = "a b", network = "testnet" },
      { name = "a.b-c_1", secret_command = "pass show x", rest_url = "https://r", ws_url = "wss://w", ca_file = "/ca" },
    }, profiles.parse("# mine\n\n[work]\napi_key = k=1\r\n  api_secret=a b \n;x\nnetwork = testnet\n[a.b-c_1]\n"
      .. "secret_command = pass show x\nrest_url = https://r\nws_url = wss://w\nca_file = /ca", "f"))
    assert.are.same({}, profiles.parse("", "f"))
    assert.are.same({ { name = "a", api_key = "one = two = 3" } }, profiles.parse("[a]\napi_key=one = two = 3", "f"))
  end)

  it("is refused with its line and without its values", function()
    for _, case in ipairs {
      { "api_key = hidden", "f, line 1: expected [profile] first" },
      { "[a]\nhidden", "f, line 2: expected [profile] or setting = value" },
      { "[a]\nsecret = hidden",
        "f, line 2: there is no such setting; expected api_key, api_secret, secret_command, network, rest_url, ws_url, "
        .. "price_url, ca_file" },
      { "[a]\napi_key = hidden\napi_key = hidden", "f, line 3: api_key is there twice" },
      { "[a]\napi_key =", "f, line 2: api_key is empty" },
      { "[a]\n[a]", "f, line 2: the profile is there twice" },
      { "[a b]", "f, line 1: a profile's name has letters, digits, '.', '_' and '-'" },
    } do assert.are.equal(case[2], message_of(profiles.parse, case[1], "f")) end
  end)
end)

describe("a profile's name", function()
  it("is one of 64 bytes at most, of letters, digits and three marks, and begins with none of the marks", function()
    for _, name in ipairs { "a", "9", "a._-", ("x"):rep(64) } do assert.is_true(profiles.is_name(name)) end
    for _, name in ipairs { "", "-a", ".a", "a b", "a\n", ("x"):rep(65), 5, false } do
      assert.is_false(profiles.is_name(name))
    end
  end)
end)

describe("the file of profiles", function()
  local real_getenv = os.getenv
  local folder, remove, path

  before_each(function()
    folder, remove = project.folder()
    path = folder .. "/chainlink-streams/profiles.ini"
    os.getenv = function(name) -- luacheck: ignore 122
      if name == "XDG_CONFIG_HOME" then return folder end
      return real_getenv(name)
    end
  end)
  after_each(function()
    os.getenv = real_getenv -- luacheck: ignore 122
    remove()
  end)

  local work = { name = "work", api_key = "the-key", api_secret = "the-secret", network = "testnet" }

  it("is made with its folder for its owner alone, and keeps what was there", function()
    assert.are.same({}, profiles.all())
    profiles.add(work)
    profiles.add { name = "other", api_key = "k", secret_command = "echo s" }
    assert.are.equal("600 700\n", (project.run(("stat -c %%a %s | tr '\\n' ' '; stat -c %%a %s"):format(path,
      folder .. "/chainlink-streams"))))
    assert.are.same({ work, { name = "other", api_key = "k", secret_command = "echo s" } }, profiles.all())
    assert.are.equal("there is a profile 'work' already", message_of(profiles.add, work))
    profiles.remove "work"
    assert.are.equal("other", profiles.all()[1].name)
    assert.matches("there is no profile 'work' in .*profiles%.ini$", message_of(profiles.remove, "work"))
    assert.matches("there is no profile 'work' in .*; chainlink%-streams profile add work makes it$",
      message_of(profiles.get, "work"))
  end)

  it("takes no value that would be another line", function()
    for _, value in ipairs { "a\nb", "a\r", " a", "a ", "" } do
      assert.are.equal("api_secret is empty, or has a control character or a space at an end",
        message_of(profiles.add, { name = "x", api_key = "k", api_secret = value }))
    end
    assert.are.same({}, profiles.all())
  end)

  it("is refused when others may read or write it, and named", function()
    profiles.add(work)
    for _, mode in ipairs { "640", "604", "620", "602", "601" } do
      os.execute(("chmod %s %s"):format(mode, path))
      assert.are.equal(("%s: others may read or write it (mode %s); chmod 600 it"):format(path, mode),
        message_of(profiles.all))
    end
    os.execute("chmod 400 " .. path)
    assert.are.equal("work", profiles.all()[1].name)
  end)

  it("may be a symbolic link, and stays where that leads", function()
    profiles.add(work)
    os.execute(("mv %s %s/real && ln -s %s/real %s"):format(path, folder, folder, path))
    profiles.add { name = "other", api_key = "k", api_secret = "s" }
    assert.are.equal(2, #profiles.all())
    assert.are.equal("symbolic link\n", (project.run("stat -c %F " .. path)))
  end)

  it("is refused as a link or file of another user, as a folder and when it is large", function()
    profiles.add(work)
    local user = project.run "id -u"
    if user == "0\n" then
      os.execute(("mv %s %s/real && ln -s %s/real %s && chown -h 65534 %s"):format(path, folder, folder, path, path))
      assert.are.equal(path .. ": a symbolic link of another user is not followed", message_of(profiles.all))
      os.execute(("rm %s && mv %s/real %s && chown 65534 %s"):format(path, folder, path, path))
      assert.are.equal(path .. ": belongs to another user", message_of(profiles.all))
    end
    os.execute(("rm -f %s && mkdir -m 700 %s"):format(path, path))
    assert.are.equal(path .. ": is no file", message_of(profiles.all))
    os.execute(("rmdir %s && head -c 70000 /dev/zero >%s && chmod 600 %s"):format(path, path, path))
    assert.are.equal(path .. ": has more than 65536 bytes", message_of(profiles.all))
    os.execute(("rm %s && mkfifo -m 600 %s"):format(path, path))
    assert.are.equal(path .. ": is no file", message_of(profiles.all))
  end)

  it("gives a client its credentials and endpoints, under what the program says", function()
    profiles.add { name = "work", api_key = "the-key", api_secret = "the-secret", rest_url = "https://127.0.0.1:1",
      ws_url = "wss://127.0.0.1:1" }
    local client = chainlink.client { profile = "work" }
    assert.are.equal("chainlink.client (127.0.0.1)", tostring(client))
    client:close()
    client = chainlink.client_from_env { profile = "work" }
    client:close()
    assert.are.same({ api_key = "the-key", api_secret = "mine", network = "testnet" },
      profiles.fill { profile = "work", api_secret = "mine", network = "testnet" })
    local mine = { api_key = "k", network = "testnet" }
    assert.are.equal(mine, profiles.fill(mine))
    assert.are.equal("option 'profile' must be a profile's name, got 5", message_of(chainlink.client, { profile = 5 }))
    assert.matches("^there is no profile 'none' in ", message_of(chainlink.client, { profile = "none" }))
  end)

  it("gives each of its settings where the program does not say another one", function()
    profiles.add { name = "all", api_key = "k", api_secret = "s", secret_command = "false", network = "testnet",
      rest_url = "https://r", ws_url = "wss://w", price_url = "https://p", ca_file = "/ca" }
    assert.are.same({ api_key = "k", api_secret = "s", network = "testnet", rest_url = "https://r", ws_url = "wss://w",
      price_url = "https://p", tls = { ca_file = "/ca" } }, profiles.fill { profile = "all" })
    local own = { api_key = "K", api_secret = "S", rest_url = "https://R", ws_url = "wss://W", price_url = "https://P",
      tls = {}, timeout = 7 }
    local given = { profile = "all" }
    for name, value in pairs(own) do given[name] = value end
    own.network = "testnet"
    assert.are.same(own, profiles.fill(given))
    given = { profile = "all", network = "mainnet", rest_url = "https://R" } -- the profile's are of another network
    assert.are.same({ api_key = "k", api_secret = "s", network = "mainnet", rest_url = "https://R",
      tls = { ca_file = "/ca" } }, profiles.fill(given))
    assert.are.same({ profile = "all", network = "mainnet", rest_url = "https://R" }, given)
  end)

  it("keeps every setting, each profile behind an empty line", function()
    profiles.add { name = "none" }
    profiles.add { name = "all", api_key = "k", api_secret = "s", secret_command = "c", network = "n", rest_url = "r",
      ws_url = "w", price_url = "p", ca_file = "f" }
    profiles.add { name = "more", api_key = "k" }
    assert.are.equal("[none]\n\n[all]\napi_key = k\napi_secret = s\nsecret_command = c\nnetwork = n\nrest_url = r\n"
      .. "ws_url = w\nprice_url = p\nca_file = f\n\n[more]\napi_key = k\n", project.read(path))
  end)

  it("is not written where it cannot be", function()
    profiles.add(work)
    os.execute(("rm %s && mkdir %s"):format(path, path))
    assert.matches("is no file$", message_of(profiles.add, { name = "other", api_key = "k" }))
    os.execute(("rmdir %s && rmdir %s/chainlink-streams && touch %s/chainlink-streams"):format(path, folder, folder))
    local ok, err = pcall(profiles.add, work)
    assert.is_false(ok)
    assert.is_true(chainlink.is_error(err, "ConfigError"), tostring(err))
  end)

  it("gives the secret that a command prints", function()
    local function secret(command)
      pcall(profiles.remove, "work")
      profiles.add { name = "work", api_key = "k", secret_command = command }
      return profiles.fill { profile = "work" }.api_secret
    end
    assert.are.equal("the secret", secret "printf 'the secret\\n'")
    assert.are.equal("the secret", secret "printf 'the secret'")
    assert.are.equal("the secret's command gave nothing, expected one line", message_of(secret, "true"))
    assert.are.equal("the secret's command gave several lines, expected one line",
      message_of(secret, "printf 'hidden\\nhidden\\n'"))
    assert.are.equal("the secret", secret "printf 'the secret\\r\\n'")
    -- Lua 5.1 does not tell how a command ended.
    local ended = _VERSION ~= "Lua 5.1" and "failed (exit code 3)" or "gave nothing, expected one line"
    assert.are.equal("the secret's command " .. ended, message_of(secret, "exit 3"))
  end)

  it("tells why a secret's command cannot be run, and what a descriptor has not", function()
    local real_popen = io.popen
    io.popen = function(command, mode) -- luacheck: ignore 122
      assert(command == "pass show x" and mode == "r")
      return nil, "too many processes"
    end
    local told = message_of(profiles.from_command, "pass show x")
    io.popen = real_popen -- luacheck: ignore 122
    assert.are.equal("the secret's command cannot be run: too many processes", told)
    assert.matches("^descriptor %-1, for the secret, .+", message_of(profiles.from_fd, -1))
    local core = require "chainlink.core"
    local real_read, text = core.read_fd, "the secret\n"
    core.read_fd = function(fd) return assert(fd == 5) and text end
    finally(function() core.read_fd = real_read end)
    assert.are.equal("the secret", profiles.from_fd(5))
    text = "hidden\nhidden\n"
    assert.are.equal("descriptor 5, for the secret, gave several lines, expected one line",
      message_of(profiles.from_fd, 5))
  end)

  it("needs a home", function()
    os.getenv = function() end -- luacheck: ignore 122
    assert.are.equal("profiles are in a folder of the user, and HOME is not set", message_of(profiles.path))
    os.getenv = function(name) return ({ HOME = "/h", XDG_CONFIG_HOME = "relative" })[name] end -- luacheck: ignore 122
    assert.are.equal("/h/.config/chainlink-streams/profiles.ini", profiles.path())
    for _, name in ipairs { "XDG_CONFIG_HOME", "HOME" } do
      os.getenv = function(wanted) return wanted == name and "" or nil end -- luacheck: ignore 122
      assert.are.equal("profiles are in a folder of the user, and HOME is not set", message_of(profiles.path))
    end
  end)
end)
