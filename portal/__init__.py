"""The site: settings, URLs, accounts and API keys, projects and files, pages, public API."""
