/** How long a slider must rest before the console asks, in milliseconds. Graphs of the past are costly: the coordinator makes two at a time. */
export const REST_MS = 300
