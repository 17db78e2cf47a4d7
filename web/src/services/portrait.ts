/** Pixels each way; the largest that a page shows is 64. */
const SIDE = 256

/** The middle of an image as a small square JPEG, so that nothing large and nothing hidden in the file goes anywhere. Rejects what is no image. */
export async function portrait(file: Blob): Promise<Blob> {
  const image = await createImageBitmap(file)
  const canvas = document.createElement('canvas')
  canvas.width = SIDE
  canvas.height = SIDE
  const drawing = canvas.getContext('2d')
  if (!drawing) throw new Error('no canvas')
  const side = Math.min(image.width, image.height)
  // What is see-through gets a ground, as JPEG has none.
  drawing.fillStyle = '#ffffff'
  drawing.fillRect(0, 0, SIDE, SIDE)
  drawing.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, SIDE, SIDE)
  const small = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/jpeg', 0.88))
  if (!small) throw new Error('not drawn')
  return small
}
