/** How long a slider rests before anything is asked, in milliseconds: graphs of the past are costly, and two at a time are made. */
export const REST_MS = 300
