# Reads requests from descriptor 3 and answers on descriptor 4; see sandbox/runner/records.py for both.
local({
    requests <- file("/dev/fd/3", "rb", raw = TRUE)
    records <- file("/dev/fd/4", "wb", raw = TRUE)
    typed <- NULL
    options(warn = 1, device = function(...) grDevices::png(tempfile("plot", fileext = ".png"), 640, 480, type = "cairo"))
    # What a prompt asks for comes from standard input: R would ask a person only at a terminal.
    ours <- attach(NULL, name = "madang")
    assign("readline", function(prompt = "") {
        cat(prompt)
        flush(stdout())
        if (is.null(typed)) typed <<- file("stdin", "r")
        line <- readLines(typed, 1)
        if (length(line)) line else ""
    }, ours)

    say <- function(kind, text = character()) {
        writeBin(c(charToRaw(paste0(kind, "\n", paste(enc2utf8(text), collapse = "\n"))), as.raw(0)), records)
        flush(records)
    }

    read <- function() {
        bytes <- raw(256)
        size <- 0
        repeat {
            byte <- readBin(requests, "raw", 1)
            if (!length(byte)) return(NULL)
            if (byte == as.raw(0)) break
            size <- size + 1
            if (size > length(bytes)) bytes <- c(bytes, raw(length(bytes)))
            bytes[size] <- byte
        }
        text <- rawToChar(bytes[seq_len(size)])
        Encoding(text) <- "UTF-8"
        text
    }

    plots <- function() {
        if (is.null(grDevices::dev.list())) return()
        grDevices::graphics.off()
        for (picture in sort(list.files(tempdir(), "^plot.*[.]png$", full.names = TRUE))) {
            encoded <- system2("base64", c("-w0", picture), stdout = TRUE)
            say("data", paste0('{"image/png": "', encoded, '", "text/plain": "a plot"}'))
            unlink(picture)
        }
    }

    place <- function(expressions, index) {
        where <- attr(expressions, "srcref")[[index]]
        paste0("cell, line ", where[[1]], ": ", as.character(where)[[1]])
    }

    run <- function(text) {
        at <- NULL
        failed <- function(error) {
            message <- conditionMessage(error)
            call <- conditionCall(error)
            shown <- c(paste("Error:", message), if (!is.null(call)) paste("    in", deparse(call)[[1]]), at)
            say("error", c(class(error)[[1]], gsub("\n", " ", message), shown))
        }
        tryCatch({
            expressions <- parse(text = text, keep.source = TRUE, srcfile = srcfilecopy("cell", text))
            for (index in seq_along(expressions)) {
                at <- paste("    at", place(expressions, index))
                found <- withVisible(eval(expressions[[index]], globalenv()))
                if (found$visible) print(found$value)
            }
        }, interrupt = function(...) say("error", c("Interrupted", "The cell was interrupted.")), error = failed)
        flush(stdout())
        if (!is.null(typed)) close(typed)
        typed <<- NULL  # its end was that of this cell
        tryCatch(plots(), error = failed)
    }

    complete <- function(text) {
        line <- sub(".*\n", "", text)
        utils:::.assignLinebuffer(line)
        utils:::.assignEnd(nchar(line))
        token <- utils:::.guessTokenFromLine()
        utils:::.completeToken()
        say("answer", c(token, sort(unique(utils:::.retrieveCompletions()))))
    }

    inspect <- function(text) {
        name <- regmatches(text, regexpr("[A-Za-z.][A-Za-z0-9._]*$", text))
        if (!length(name) || !exists(name, globalenv())) return()
        value <- get(name, globalenv())
        shown <- if (is.function(value)) deparse(args(value)) else utils::capture.output(utils::str(value))
        say("answer", shown[shown != "NULL"])
    }

    whole <- function(text) {
        said <- tryCatch({
            parse(text = text)
            "complete"
        }, error = function(error) {
            open <- grepl("unexpected end of input|INCOMPLETE_STRING", conditionMessage(error))
            if (open) "incomplete" else "invalid"
        })
        say("answer", said)
    }

    say("ready")
    repeat {
        request <- tryCatch(read(), interrupt = function(...) "")
        if (is.null(request)) break
        if (request == "") next
        kind <- sub("\n.*", "", request)
        text <- substring(request, nchar(kind) + 2)
        tryCatch(
            switch(kind, run = run(text), complete = complete(text), inspect = inspect(text), whole = whole(text)),
            interrupt = function(...) NULL, error = function(error) message(conditionMessage(error))
        )
        say("done")
    }
    quit("no")
})
