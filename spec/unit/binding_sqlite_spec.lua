-- SPDX-License-Identifier: MIT
-- Databases below lua/chainlink/cli/files: what is refused, which values go in and come out, and what is freed.

local core = require "chainlink.core"
local project = require "spec.support.project"
local raises = require("spec.support.refusal").raises

local unpack = unpack or table.unpack -- luacheck: ignore 113 143

describe("the binding's databases", function()
  local folder, remove, path, database
  before_each(function()
    folder, remove = project.folder()
    path = folder .. "/it.db"
    database = assert(core.sqlite_open(path, true))
  end)
  after_each(function()
    core.sqlite_close(database)
    remove()
  end)

  -- The rows of a statement with these values.
  local function rows(sql, count, ...)
    local query = assert(core.sqlite_prepare(database, sql))
    assert.is_true(core.sqlite_bind(query, count, ...))
    local list = {}
    repeat
      local row = core.sqlite_step(query)
      list[#list + 1] = row or nil
    until not row
    core.sqlite_free(query)
    return list
  end

  local function failure(kind, ...)
    assert.equal(2, select("#", ...))
    local nothing, err = ...
    assert.is_nil(nothing)
    assert.equal(kind, err.kind)
    assert.is_string(err.message)
    return err
  end

  it("are made only where they may be written", function()
    failure("FileError", core.sqlite_open(folder .. "/none.db", false))
    failure("FileError", core.sqlite_open(folder .. "/none.db"))
    assert.is_false(pcall(project.read, folder .. "/none.db"))
    failure("FileError", core.sqlite_open(folder .. "/no/it.db", true))
    raises("string expected", core.sqlite_open, {}, true)
    rows("CREATE TABLE t (a TEXT)", 0)
    local reader = assert(core.sqlite_open(path, false))
    local query = assert(core.sqlite_prepare(reader, "INSERT INTO t VALUES ('x')"))
    failure("FileError", core.sqlite_step(query))
    core.sqlite_free(query)
    core.sqlite_close(reader)
    assert.same({}, rows("SELECT * FROM t", 0))
  end)

  it("take texts, numbers and nothing, and give texts and false", function()
    assert.same({ { "a", "7", false, "" } }, rows("SELECT ?, ?, ?, ?", 4, "a", 7, nil, ""))
    assert.same({ { "a\0b", "3" } }, rows("SELECT ?1, length(CAST(?1 AS BLOB))", 1, "a\0b"))
    assert.same({ { false } }, rows("SELECT NULL", 0))
    assert.same({ { "1" }, { "2" }, { "3" } }, rows("SELECT 1 UNION SELECT 2 UNION SELECT 3", 0))
    assert.same({ { "5" } }, rows("SELECT ?", 1, 5, "and what is not counted"))
    raises("string expected", rows, "SELECT ?", 1, {})
    raises("string expected", rows, "SELECT ?", 1, false)
  end)

  it("take as many values as a query may have", function()
    local values, marks = {}, {}
    for i = 1, 100 do values[i], marks[i] = "v" .. i, "?" end
    local sql = "SELECT " .. table.concat(marks, ", ")
    assert.same({ values }, rows(sql, 100, unpack(values)))
    local none = {}
    for i = 1, 100 do none[i] = false end
    assert.same({ none }, rows(sql, 100))
    local query = assert(core.sqlite_prepare(database, sql))
    raises("bad argument #2 to", core.sqlite_bind, query, 101)
    raises("too many values", core.sqlite_bind, query, 101)
    raises("too many values", core.sqlite_bind, query, -1)
    raises("number expected", core.sqlite_bind, query, "x")
    assert.is_true(core.sqlite_bind(query, 0))
    core.sqlite_free(query)
    failure("FileError", core.sqlite_bind(assert(core.sqlite_prepare(database, "SELECT ?")), 2, "a", "b"))
  end)

  it("begin a query anew with other values", function()
    local query = assert(core.sqlite_prepare(database, "SELECT ?1 UNION SELECT ?2 ORDER BY 1"))
    assert.is_true(core.sqlite_bind(query, 2, "a", "b"))
    assert.same({ "a" }, core.sqlite_step(query))
    assert.is_true(core.sqlite_bind(query, 2, "c", "d"))
    assert.same({ "c" }, core.sqlite_step(query))
    assert.same({ "d" }, core.sqlite_step(query))
    assert.is_false(core.sqlite_step(query))
    core.sqlite_free(query)
  end)

  it("tell what they do not understand", function()
    local err = failure("FileError", core.sqlite_prepare(database, "SELEC 1"))
    assert.truthy(err.message:find("SELEC", 1, true))
    raises("string expected", core.sqlite_prepare, database, nil)
    rows("CREATE TABLE t (a TEXT UNIQUE)", 0)
    rows("INSERT INTO t VALUES (?)", 1, "x")
    local query = assert(core.sqlite_prepare(database, "INSERT INTO t VALUES (?)"))
    assert.is_true(core.sqlite_bind(query, 1, "x"))
    err = failure("FileError", core.sqlite_step(query))
    assert.truthy(err.message:find("UNIQUE", 1, true))
    core.sqlite_free(query)
  end)

  it("are closed once, and their queries freed once", function()
    local query = assert(core.sqlite_prepare(database, "SELECT 1"))
    assert.equal(0, select("#", core.sqlite_free(query)))
    core.sqlite_free(query)
    raises("the query is over", core.sqlite_step, query)
    raises("the query is over", core.sqlite_bind, query, 0)
    query = assert(core.sqlite_prepare(database, "SELECT 1"))
    assert.equal(0, select("#", core.sqlite_close(database)))
    core.sqlite_close(database)
    raises("the database is closed", core.sqlite_prepare, database, "SELECT 1")
    assert.same({ "1" }, core.sqlite_step(query)) -- it is good until it is freed
    core.sqlite_free(query)
    for _, name in ipairs { "sqlite_close", "sqlite_prepare" } do raises("bad argument #1", core[name], query, "") end
    for _, name in ipairs { "sqlite_free", "sqlite_step", "sqlite_bind" } do
      raises("bad argument #1", core[name], database, 0)
    end
  end)

  it("are freed when nobody has them any more", function()
    local function lock()
      local other = assert(core.sqlite_open(path, true))
      assert.is_false(core.sqlite_step(assert(core.sqlite_prepare(other, "BEGIN EXCLUSIVE"))))
    end
    lock()
    collectgarbage()
    collectgarbage()
    assert.same({}, rows("CREATE TABLE t (a TEXT)", 0)) -- the lock is gone with them
  end)
end)
