/** In the page: text that does not fit its place, and zones that scroll sideways; a sentence for each. It must stand alone. */
export function misfits() {
  const found = []
  const tell = (what, element) => {
    const { className, dataset, tagName } = element
    const text = (element.innerText || '').trim().replace(/\s+/g, ' ').slice(0, 60)
    found.push(`${what}: ${tagName.toLowerCase()}${className && className.split ? `.${className.split(' ').join('.')}` : ''}${dataset && dataset.test ? ` [${dataset.test}]` : ''} “${text}”`)
  }
  const root = document.documentElement
  if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) tell('the page scrolls', root)
  const hidden = element => element.closest('.sr, [hidden], svg') || !element.getClientRects().length
  for (const element of document.body.querySelectorAll('*')) {
    if (hidden(element)) continue
    const style = getComputedStyle(element)
    const wide = element.scrollWidth > element.clientWidth + 1 && style.display !== 'inline'
    if (wide && /auto|scroll/.test(style.overflowX) && !/input|textarea/i.test(element.tagName)) tell('scrolls sideways', element)
    // Names may end in an ellipsis; the whole of them is the title.
    if (wide && /hidden|clip/.test(style.overflowX) && (element.innerText || '').trim()) {
      if (style.textOverflow !== 'ellipsis') tell('is cut off', element)
      else if (!element.closest('[title]')) tell('is cut short without a title', element)
    }
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue
      // Its place: the nearest box around it.
      let box = element
      while (getComputedStyle(box).display === 'inline' || getComputedStyle(box).display === 'contents') box = box.parentElement
      if (/hidden|clip/.test(getComputedStyle(box).overflowX)) continue
      const range = document.createRange()
      range.selectNodeContents(node)
      const [text, place] = [range.getBoundingClientRect(), box.getBoundingClientRect()]
      if (text.left < place.left - 1 || text.right > place.right + 1) tell('sticks out', box)
    }
  }
  // A control's text stays inside its edges.
  for (const control of document.body.querySelectorAll('button, .badge, .btn')) {
    if (hidden(control)) continue
    const edge = control.getBoundingClientRect()
    for (const part of control.querySelectorAll('*')) {
      if (hidden(part) || part.closest('.cut')) continue
      const inner = part.getBoundingClientRect()
      if (inner.left < edge.left - 1 || inner.right > edge.right + 1 || inner.top < edge.top - 1 || inner.bottom > edge.bottom + 1) {
        tell('does not fit', control)
        break
      }
    }
  }
  return found
}
