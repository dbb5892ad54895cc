"""A guest book. It forgets everything when it ends: what it keeps is a list in memory."""

from flask import Flask, redirect, render_template, request

app = Flask(__name__)
entries: list[str] = []


@app.get("/")
def show() -> str:
    return render_template("index.html", entries=entries)


@app.post("/")
def write():
    if text := request.form.get("text", "").strip():
        entries.append(text[:200])
    return redirect("/")


if __name__ == "__main__":
    app.run(port=8000, debug=False)
