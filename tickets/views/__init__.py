"""The customer's side: form, chat page, and what the page's buttons do. Plain forms work without JavaScript."""
