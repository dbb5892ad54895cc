<?php
// Reads cells from descriptor 3 and runs them; see sandbox/runner/records.py for what it says on descriptor 4.
// A fatal error, such as a function that is declared again, ends PHP: its kernel then starts it again.
class MadangInterrupt extends Exception {}

$__madang = new class {
    private $cells;
    private $records;
    private bool $running = false;

    public function __construct()
    {
        $this->cells = fopen('php://fd/3', 'r');
        $this->records = fopen('php://fd/4', 'w');
        if (function_exists('pcntl_signal')) {
            pcntl_async_signals(true);
            pcntl_signal(SIGINT, function () {
                if ($this->running) {
                    throw new MadangInterrupt();
                }
            });
        }
    }

    public function say(string $kind, string $text = ''): void
    {
        fwrite($this->records, "$kind\n" . str_replace("\0", '', $text) . "\0");
    }

    public function read(): ?string
    {
        $code = '';
        while (true) {
            $letter = @fgetc($this->cells);
            if ($letter === "\0") {
                // A whole file begins in HTML, a cell that is typed in PHP.
                return str_contains($code, '<?') ? "?>$code" : $code;
            }
            if ($letter === false) {
                if (feof($this->cells)) {
                    return null;
                }
                continue;
            }
            $code .= $letter;
        }
    }

    public function begin(): void
    {
        $this->running = true;
    }

    public function end(?Throwable $error): void
    {
        $this->running = false;
        if ($error instanceof MadangInterrupt) {
            $this->say('error', "Interrupted\nThe cell was interrupted.");
        } elseif ($error !== null) {
            $name = get_class($error);
            $what = $error->getMessage();
            $this->say('error', "$name\n$what\n$name: $what\n    at cell, line {$error->getLine()}");
        }
        $this->say('done');
    }
};

$__madang->say('ready');
while (($__code = $__madang->read()) !== null) {
    $__error = null;
    $__madang->begin();
    try {
        eval($__code);
    } catch (Throwable $__error) {
    }
    $__madang->end($__error);
}
