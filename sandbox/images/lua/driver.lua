-- Reads requests from descriptor 3 and answers on descriptor 4; see sandbox/runner/records.py for both.
-- The stand-alone interpreter makes the first SIGINT an error of whatever runs; a second one ends it, and its kernel
-- starts it again.
local cells = assert(io.open("/dev/fd/3", "rb"))
local records = assert(io.open("/dev/fd/4", "wb"))
io.stdout:setvbuf("line")
io.stdin:setvbuf("no") -- to wait for a line then shows the prompt before it

local function say(kind, text)
    records:write(kind, "\n", (tostring(text or ""):gsub("\0", "")), "\0")
    records:flush()
end

local function read()
    local parts = {}
    for letter in function() return cells:read(1) end do
        if letter == "\0" then return table.concat(parts) end
        parts[#parts + 1] = letter
    end
end

local function traced(message)
    if type(message) ~= "string" then message = tostring(message) end
    return debug.traceback(message, 2):gsub("\n[^\n]*%[C%]: in function 'xpcall'.*", "")
end

local function run(code)
    -- As in the interpreter's own prompt: an expression's value is shown.
    local chunk, wrong = load("return " .. code, "=cell")
    if not chunk then chunk, wrong = load(code, "=cell") end
    if not chunk then return say("error", "SyntaxError\n" .. wrong) end
    local found = table.pack(xpcall(chunk, traced))
    io.stdout:flush()
    if not found[1] then
        local first = found[2]:match("[^\n]*")
        if first:find("interrupted!", 1, true) then return say("error", "Interrupted\nThe cell was interrupted.") end
        return say("error", "Error\n" .. first .. "\n" .. found[2])
    end
    if found.n > 1 then
        local shown = {}
        for index = 2, found.n do shown[#shown + 1] = tostring(found[index]) end
        say("value", table.concat(shown, "\t"))
    end
end

-- What a name such as `string.format` stands for, without running anything: no metamethod is asked but a table.
local function fields(value)
    local index = (getmetatable(value) or {}).__index
    return type(value) == "table" and value or {}, type(index) == "table" and index or {}
end

local function find(path)
    local value = _G
    for name in path:gmatch("[%w_]+") do
        local own, inherited = fields(value)
        value = rawget(own, name)
        if value == nil then value = rawget(inherited, name) end
        if value == nil then return nil end
    end
    return value
end

local keywords = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until "
    .. "while"):gmatch("%a+") do keywords[word] = true end

local function complete(code)
    local path, last = code:match("([%w_.:]-)([%w_]*)$")
    local found, seen = {}, {}
    local function take(names)
        for name in next, names do
            if type(name) == "string" and name:find("^[%a_][%w_]*$") and name:sub(1, #last) == last and not seen[name] then
                seen[name] = true
                found[#found + 1] = name
            end
        end
    end
    local own, inherited = fields(find(path))
    take(own)
    take(inherited)
    if path == "" then take(keywords) end
    table.sort(found)
    say("answer", last .. "\n" .. table.concat(found, "\n"))
end

local function inspect(code)
    local path = code:match("[%a_][%w_.:]*$")
    local value = path and find(path)
    if value == nil then return end
    local text = type(value) .. ": " .. tostring(value)
    if type(value) == "function" then
        local about = debug.getinfo(value, "Su")
        local where = about.what == "C" and "written in C" or about.short_src .. ", line " .. about.linedefined
        text = ("function %s: %d parameters%s, %s"):format(path, about.nparams, about.isvararg and " and more" or "", where)
    end
    say("answer", text)
end

local function whole(code)
    if load("return " .. code) then return say("answer", "complete") end
    local _, wrong = load(code)
    say("answer", not wrong and "complete" or wrong:find("<eof>", 1, true) and "incomplete" or "invalid")
end

local answers = { run = run, complete = complete, inspect = inspect, whole = whole }

say("ready")
while true do
    local fine, request = pcall(read)
    if fine and not request then break end
    if fine then
        local kind, text = request:match("^(%l+)\n(.*)$")
        answers[kind](text)
        say("done")
    end
end
