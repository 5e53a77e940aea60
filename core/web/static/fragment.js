// HTML that the server drew becomes nodes here and nowhere else: it is parsed apart from the page, where nothing of it
// runs. Texts do not come this way; they are set as textContent.
export const page = (html) => new DOMParser().parseFromString(html, "text/html");
export const nodes = (html) => [...page(`<template>${html}</template>`).querySelector("template").content.childNodes];
