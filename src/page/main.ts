/** Where the page begins. */
import { startApp } from "./app.ts";
import { tongueOf } from "./texts/language.ts";

const tongue = tongueOf(navigator.languages);
document.documentElement.lang = tongue.language;
startApp(tongue);
