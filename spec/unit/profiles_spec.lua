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
    assert.are.equal("option 'profile' must be a profile's name, got 5", message_of(chainlink.client, { profile = 5 }))
    assert.matches("^there is no profile 'none' in ", message_of(chainlink.client, { profile = "none" }))
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
  end)

  it("needs a home", function()
    os.getenv = function() end -- luacheck: ignore 122
    assert.are.equal("profiles are in a folder of the user, and HOME is not set", message_of(profiles.path))
    os.getenv = function(name) return ({ HOME = "/h", XDG_CONFIG_HOME = "relative" })[name] end -- luacheck: ignore 122
    assert.are.equal("/h/.config/chainlink-streams/profiles.ini", profiles.path())
  end)
end)
