/** Pawline's sign, a paw. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">
<rect width="48" height="48" rx="11" fill="#0b6e8a"/>
<g fill="#ffffff">
<ellipse cx="12.5" cy="22.5" rx="3.6" ry="4.9" transform="rotate(-24 12.5 22.5)"/>
<ellipse cx="19.5" cy="14.5" rx="3.7" ry="5.3" transform="rotate(-7 19.5 14.5)"/>
<ellipse cx="28.5" cy="14.5" rx="3.7" ry="5.3" transform="rotate(7 28.5 14.5)"/>
<ellipse cx="35.5" cy="22.5" rx="3.6" ry="4.9" transform="rotate(24 35.5 22.5)"/>
<path d="M24 23c5 0 10.500 6 10.500 10.800 0 3.400-2.400 4.700-5.100 4.700-2 0-3.400-1-5.400-1s-3.400 1-5.400 1c-2.700 0-5.100-1.300-5.100-4.700C13.500 29 19 23 24 23z"/>
</g>
</svg>
`;
