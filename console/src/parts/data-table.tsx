import type { ComponentChildren } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import { useRowKeys } from './use-row-keys.ts'
import { useWindow } from './use-window.ts'

export interface Column<T> {
  readonly key: string
  readonly title: string
  readonly render: (row: T) => ComponentChildren
  /** What the column is sorted by. Without it, the column cannot be sorted. */
  readonly sortBy?: (row: T) => string | number | undefined
  /** Numbers stand at the right side. @default 'start' */
  readonly align?: 'start' | 'end'
  /** The width as CSS, such as `30%`. Tables of many rows need it: only some rows are in the document. */
  readonly width?: string
}

export interface Sorting {
  readonly key: string
  readonly descending: boolean
}

interface DataTableProps<T> {
  /** What the table lists. It is shown, unless `hideCaption`. */
  readonly caption: string
  readonly hideCaption?: boolean
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  /** The order at first. Without it: that of `rows`. */
  readonly sorting?: Sorting | undefined
  /** Called when the user chooses another order. Without it the table remembers the order itself. */
  readonly onSort?: (sorting: Sorting) => void
  /** A class of the row. */
  readonly classOf?: (row: T) => string | undefined
  /** Shown if there are no rows. */
  readonly empty?: ComponentChildren
}

/** Tables with more rows scroll in a window of their own, and only the visible rows are in the document. */
const ALL_ROWS_MAX = 150
/** The height of every row of a scrolling table, in pixels; `data-table.css` says the same. */
export const ROW_HEIGHT = 38

/** A table that can be sorted, of any length. Arrow keys go from row to row, and Enter opens the first link of a row. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { caption, hideCaption = false, columns, rows, keyOf, classOf, empty } = props
  const [own, setOwn] = useState(props.sorting)
  const sorting = props.onSort === undefined ? own : props.sorting
  const sorted = useMemo(() => sortedRows(rows, columns, sorting), [rows, columns, sorting])
  const place = useRef<HTMLDivElement>(null)
  const scrolls = sorted.length > ALL_ROWS_MAX
  const seen = useWindow(place, { count: sorted.length, rowHeight: ROW_HEIGHT, overscan: 10 })
  const { first, end } = scrolls ? seen : { first: 0, end: sorted.length }
  const keys = useRowKeys(place, { count: sorted.length, rowHeight: scrolls ? ROW_HEIGHT : undefined })
  if (sorted.length === 0 && empty !== undefined) return <>{empty}</>
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the rows inside take the focus, and their keys are handled once
    <div ref={place} class={scrolls ? 'table-place table-scrolls' : 'table-place'} onKeyDown={keys.onKeyDown}>
      <table class="data-table" aria-rowcount={sorted.length + 1}>
        <caption class={hideCaption ? 'unseen' : undefined}>{caption}</caption>
        <colgroup>
          {columns.map(({ key, width }) => (
            <col key={key} style={width === undefined ? {} : { width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sorting={sorting} onSort={props.onSort ?? setOwn} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap rows={first} columns={columns.length} />
          {sorted.slice(first, end).map((row, at) => (
            <tr
              key={keyOf(row)}
              class={classOf?.(row)}
              aria-rowindex={first + at + 2}
              data-row={first + at}
              tabIndex={first + at === keys.active ? 0 : -1}
            >
              {columns.map((column) => (
                <td key={column.key} class={column.align === 'end' ? 'align-end' : undefined}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
          <Gap rows={sorted.length - end} columns={columns.length} />
        </tbody>
      </table>
    </div>
  )
}

interface HeadCellProps<T> {
  readonly column: Column<T>
  readonly sorting: Sorting | undefined
  readonly onSort: (sorting: Sorting) => void
}

function HeadCell<T>({ column, sorting, onSort }: HeadCellProps<T>) {
  const { key, title, sortBy, align } = column
  const sorted = sorting?.key === key ? (sorting.descending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" aria-sort={sorted} class={align === 'end' ? 'align-end' : undefined}>
      {sortBy === undefined ? (
        title
      ) : (
        <button type="button" onClick={() => onSort({ key, descending: sorted === 'ascending' })}>
          {title}
          <span class="sort-mark" aria-hidden="true">
            {sorted === 'ascending' ? '▲' : sorted === 'descending' ? '▼' : ''}
          </span>
        </button>
      )}
    </th>
  )
}

/** Takes the place of the rows that are not in the document. */
function Gap({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null
  return (
    <tr class="gap">
      <td colSpan={columns} style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  )
}

/** Rows without a value come last in both directions. */
function sortedRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sorting: Sorting | undefined,
): readonly T[] {
  const sortBy = columns.find(({ key }) => key === sorting?.key)?.sortBy
  if (sorting === undefined || sortBy === undefined) return rows
  const direction = sorting.descending ? -1 : 1
  const keyed = rows.map((row) => ({ row, value: sortBy(row) }))
  keyed.sort((left, right) => {
    if (left.value === undefined || right.value === undefined)
      return Number(left.value === undefined) - Number(right.value === undefined)
    return compare(left.value, right.value) * direction
  })
  return keyed.map(({ row }) => row)
}

// `localeCompare` makes a collator each time: 10,000 rows then take a second.
const collator = new Intl.Collator('en', { numeric: true })

function compare(left: string | number, right: string | number): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return collator.compare(String(left), String(right))
}
